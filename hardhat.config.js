// The contract tool chain: build, Solidity tests, and the embedded devnet (`hardhat node`).
// The compiler's version and settings are in contracts/solc.settings.json, which Python reads too.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig } from "hardhat/config";

const compiler = JSON.parse(readFileSync(new URL("contracts/solc.settings.json", import.meta.url), "utf8"));

/** Read an integer from the environment. */
function integer(name, fallback) {
  const text = process.env[name] ?? "";
  if (text === "") return fallback;
  if (!/^[0-9]+$/.test(text)) throw new Error(`${name} must be a whole number, got "${text}".`);
  return Number(text);
}

// The compiler from npm, so that nothing is downloaded. The path must be absolute.
const path = createRequire(import.meta.url).resolve("solc/soljson.js");

/**
 * Settings of the Solidity tests: nothing is optimised, which takes seconds instead of minutes. They run the ledger's
 * bytecode as the build wrote it, so what they test stays what is deployed. Two go without: what they import compiles
 * by way of the IR only.
 */
function testOverrides() {
  const { evmVersion, metadata } = compiler.settings;
  const folder = "tests/contracts";
  const names = readdirSync(new URL(folder, import.meta.url)).filter((name) => name.endsWith(".t.sol"));
  const throughIR = ["Passkeys.t.sol", "Vectors.t.sol"]; // OpenZeppelin's P256, DefaultPolicy
  const plain = names.filter((name) => !throughIR.includes(name));
  const override = { version: compiler.version, settings: { evmVersion, metadata }, path };
  return Object.fromEntries(plain.map((name) => [`${folder}/${name}`, override]));
}

const genesisTime = integer("PASSPORT_GENESIS_TIME", undefined); // seconds since the Unix epoch

export default defineConfig({
  solidity: {
    compilers: [{ version: compiler.version, settings: compiler.settings, path }],
    overrides: testOverrides(),
    // Tests never change what the contracts compile to.
    splitTestsCompilation: true,
  },
  paths: {
    sources: "contracts",
    tests: { solidity: "tests/contracts" },
    cache: process.env.PASSPORT_HARDHAT_DIR
      ? `${process.env.PASSPORT_HARDHAT_DIR}/cache`
      : ".build/hardhat/cache",
    artifacts: process.env.PASSPORT_HARDHAT_DIR
      ? `${process.env.PASSPORT_HARDHAT_DIR}/artifacts`
      : ".build/hardhat/artifacts",
  },
  networks: {
    // `hardhat node` serves the network of this name.
    node: {
      type: "edr-simulated",
      chainType: "l1",
      hardfork: "osaka",
      chainId: integer("PASSPORT_CHAIN_ID", 31337),
      // A fixed time makes the genesis block, and so every replayed block, the same again.
      ...(genesisTime === undefined ? {} : { initialDate: new Date(genesisTime * 1000) }),
      // Nobody owns money here: the service funds its own signers.
      accounts: [],
      allowBlocksWithSameTimestamp: true,
      blockGasLimit: 1_000_000_000,
      transactionGasCap: 16_777_216, // 2^24, EIP-7825
      initialBaseFeePerGas: 0,
      mining: { auto: true, mempool: { order: "fifo" } },
      throwOnCallFailures: true,
      throwOnTransactionFailures: false,
    },
  },
  test: {
    solidity: {
      fuzz: { runs: integer("PASSPORT_FUZZ_RUNS", 256) },
      invariant: {
        runs: integer("PASSPORT_INVARIANT_RUNS", 32),
        depth: integer("PASSPORT_INVARIANT_DEPTH", 64),
        failOnRevert: true,
      },
      fsPermissions: { readDirectory: ["tests/vectors"] },
    },
  },
});
