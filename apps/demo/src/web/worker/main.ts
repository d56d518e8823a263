import { expose } from "comlink";
import "../coded-errors.js";
import { Engine } from "./engine.js";

expose(new Engine());
