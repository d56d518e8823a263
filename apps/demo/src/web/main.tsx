import { render } from "preact";
import { Page } from "./page.jsx";
import { watch } from "./state/live.js";
import { followAddress } from "./state/store.js";
import "./page.css";

followAddress();
watch();
render(<Page />, document.getElementById("page")!);
