declare global {
  /** By name, written in when the page is built. */
  const PACKAGE_VERSIONS: Readonly<Record<string, string>>;
}

/** Versions of what the page's numbers come from. */
export const versions = (): Record<string, string> => ({ ...PACKAGE_VERSIONS, browser: navigator.userAgent });
