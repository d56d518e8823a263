import Papa from "papaparse";
import { curveRows } from "../study/curve-rows.js";
import type { StudyResult } from "../study/study-result.js";

/** Mean curves as CSV. */
export function curvesCsv(study: StudyResult): string {
  return `${Papa.unparse(curveRows(study), { newline: "\n" })}\n`;
}
