import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { StudyFrame } from "./study-frame.js";
import "./style.css";

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("StudyFrame", StudyFrame);
  },
} satisfies Theme;
