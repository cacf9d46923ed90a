// A stand-in for the solc executable on top of the solc package from npm. See scripts/solc.
// Reads standard JSON on stdin. Sources it is not given are read from the project or node_modules.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");

if (!existsSync(join(modules, "solc"))) {
  process.stderr.write("scripts/solc: node_modules has no solc. Run 'make setup'.\n");
  process.exit(1);
}

const solc = createRequire(import.meta.url)("solc");

/**
 * Name the file behind a source name: ours (contracts/A.sol), a package's (@scope/name/A.sol), or as
 * Hardhat writes either (project/contracts/A.sol, npm/@scope/name@1.2.3/A.sol).
 */
function fileOf(name) {
  const packaged = /^npm\/((?:@[^/]+\/)?[^/@]+)@([^/]+)\/(.+)$/.exec(name);
  if (packaged !== null) {
    const [, pkg, version, file] = packaged;
    const installed = JSON.parse(readFileSync(join(modules, pkg, "package.json"), "utf8")).version;
    if (installed !== version) throw new Error(`${pkg} ${version} is wanted, ${installed} is installed`);
    return join(modules, pkg, file);
  }
  const own = join(root, name.replace(/^project\//, ""));
  return existsSync(own) ? own : join(modules, name);
}

/** Answer the compiler's question for a source; stays inside the project. */
function readSource(name) {
  try {
    const file = fileOf(name);
    if (!file.startsWith(root + sep)) throw new Error("outside of the project");
    return { contents: readFileSync(file, "utf8") };
  } catch (error) {
    return { error: `${name}: ${error.message}` };
  }
}

if (process.argv.includes("--version")) {
  const version = solc.version().replace(".Emscripten.clang", ".Linux.g++");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else {
  process.stdout.write(solc.compile(readFileSync(0, "utf8"), { import: readSource }));
}
