// Compiled, never run, from TypeScript 5.7 on: what comes out is typed arrays over an ArrayBuffer.

import { type History, NeuralNetwork } from 'mikir'

const network = new NeuralNetwork({ layers: [2, 1] })
export const singles: Float32Array<ArrayBuffer> = network.predictBatch(new Float32Array(2))
export const doubles: Float64Array<ArrayBuffer> = network.predictBatch(Int8Array.of(1, 2))
const history: History = network.fitSync([[1, 2]], [[3]])
export const losses: Float64Array<ArrayBuffer> = history.validationLoss ?? history.loss
