export declare const runsHere: boolean;
export declare const chromiumFromNpm: () => { readonly executablePath: string; readonly libraries: string };
export declare const swiftShaderFromNpm: () => string;
