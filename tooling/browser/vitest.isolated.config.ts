import { browserProject } from "./source/browser-project.js";

export default browserProject(["packages/{tensor,autograd,nn,aggregators}/test/**/*.test.ts"], true);
