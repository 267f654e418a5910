// Makes a component of a core module: node component.mjs IN OUT [WIT]. WIT is a directory whose one .wit has the world,
// and whose deps/ has what that depends on; without it the world is refract:transform.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

// The packages are where the build script installed them, and not beside this file.
const require = createRequire(`${process.cwd()}/`);
const { componentEmbed, componentNew } = await import(pathToFileURL(require.resolve("@bytecodealliance/jco")));

const [input, output, wit = fileURLToPath(new URL("../../wit", import.meta.url))] = process.argv.slice(2);
const texts = async (...names) => Promise.all(names.map((name) => readFile(path.join(wit, name), "utf8")));
const own = (await readdir(wit)).filter((name) => name.endsWith(".wit"));
const deps = await readdir(path.join(wit, "deps"), { recursive: true });
// One text with all packages: those that are depended on, nested.
const [main] = await texts(...own);
const nested = await texts(...deps.filter((name) => name.endsWith(".wit")).map((name) => `deps/${name}`));
const blocks = nested.map((text) => text.replace(/^package ([^;]+);/m, "package $1 {") + "\n}");
const witSource = [main, ...blocks].join("\n");
const world = main.match(/^world ([\w-]+)/m)[1];

const binary = await readFile(input);
const embedded = await componentEmbed({ binary, witSource, world });
await writeFile(output, await componentNew(embedded, []));
