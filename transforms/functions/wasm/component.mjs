// Makes a component of a core module of the world refract:transform: node component.mjs IN OUT
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages are where the build script installed them, and not beside this file.
const require = createRequire(`${process.cwd()}/`);
const { componentEmbed, componentNew } = await import(pathToFileURL(require.resolve("@bytecodealliance/jco")));

const wit = (name) => readFile(new URL(`../../wit/${name}`, import.meta.url), "utf8");
// One text with both packages: the one that is depended on, nested.
const nested = (await wit("deps/io.wit")).replace(/package wasi:io@0\.2\.0;/, "package wasi:io@0.2.0 {");
const witSource = `${await wit("transform.wit")}\n${nested}\n}\n`;

const [input, output] = process.argv.slice(2);
const binary = await readFile(input);
const embedded = await componentEmbed({ binary, witSource, world: "transform" });
await writeFile(output, await componentNew(embedded, []));
