/** The version of Pagewise, put in by the bundler. */
declare const __PAGEWISE_VERSION__: string;

export const VERSION: string = typeof __PAGEWISE_VERSION__ === "string" ? __PAGEWISE_VERSION__ : "0";
