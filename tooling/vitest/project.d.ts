import type { UserProjectConfigExport } from "vitest/config";

export declare const project: (overrides?: UserProjectConfigExport) => UserProjectConfigExport;
