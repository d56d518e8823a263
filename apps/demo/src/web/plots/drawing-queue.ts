/** Drawings that wait for their turn; a later one of the same figure takes the place of an earlier one. */
const waiting = new Map<object, () => void>();
let scheduled = false;

/** Milliseconds of a frame that drawing may take, so that the page answers while networks train. */
const share = 12;

/**
 * Draws soon: as many figures a frame as there is time for.
 *
 * @param figure  Whose drawing it is.
 */
export function drawSoon(figure: object, draw: () => void): void {
  waiting.set(figure, draw);
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(drawSome);
}

/** Forgets the drawing of a figure that is gone. */
export function drawNever(figure: object): void {
  waiting.delete(figure);
}

function drawSome(): void {
  const end = performance.now() + share;
  for (const [figure, draw] of waiting) {
    waiting.delete(figure);
    draw();
    if (performance.now() >= end) break;
  }
  scheduled = waiting.size > 0;
  if (scheduled) requestAnimationFrame(drawSome);
}
