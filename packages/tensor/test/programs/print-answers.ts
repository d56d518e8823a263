import { openDevice } from "@robgrad/tensor";
import { answers } from "./answers.js";

let forbidden = false;
try {
  new Function("return 1");
} catch {
  forbidden = true;
}
process.stdout.write(JSON.stringify({ forbidden, answers: await answers(await openDevice("cpu")) }));
