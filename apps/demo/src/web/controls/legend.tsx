import { alarm, classStyles } from "../../study/figures/palette.js";
import { classNames } from "../plots/plane.js";

const shapes = {
  circle: <circle cx="7" cy="7" r="4" />,
  triangle: <path d="M7 2.4 11.4 10.4H2.6Z" />,
  square: <path d="M3.2 3.2h7.6v7.6H3.2Z" />,
} as const;

/** What symbols in the plane mean. */
export function Legend() {
  return (
    <ul class="legend">
      {classStyles.map(({ color, symbol }, label) => (
        <li key={symbol}>
          <svg width="14" height="14" fill={color} aria-hidden="true">
            {shapes[symbol]}
          </svg>
          {classNames[label]}
        </li>
      ))}
      <li>
        <svg width="14" height="14" fill="none" stroke={alarm} stroke-width="2" aria-hidden="true">
          <circle cx="7" cy="7" r="5.5" />
        </svg>
        displaced
      </li>
      <li>
        <svg width="14" height="14" fill="none" stroke={alarm} stroke-width="2" aria-hidden="true">
          <path d="M2 12 11 3M5 3h6v6" />
        </svg>
        displaced, out of the panel: direction and distance from the mean
      </li>
    </ul>
  );
}
