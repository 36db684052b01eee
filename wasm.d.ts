// `mikir/wasm`: the whole of mikir on WebAssembly, whatever else would run (see `host`).

export * from './index.js'
