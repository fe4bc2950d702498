// Prints the path of the Chromium that @sparticuz/chromium carries, unpacked into the folder for temporary files.
import chromium from "@sparticuz/chromium";

console.log(await chromium.executablePath());
