export { default } from "@tooling/lint";
