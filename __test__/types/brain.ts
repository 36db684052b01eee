// mikir/brain as TypeScript programs use it.

import { CrossValidate, likely, type NetworkJSON, NeuralNetwork, type Status } from '../../brain.js'

const network = new NeuralNetwork<{ r?: number; g?: number }, { black?: number; white?: number }>({
  hiddenLayers: [3],
  activation: 'tanh'
})
const status: Status = network.train([{ input: { r: 1 }, output: { black: 1 } }], { iterations: 10 })
const { black = 0 } = network.run({ g: 1 })
const json: NetworkJSON = network.toJSON()
const plain = new NeuralNetwork<number[], number[]>().fromJSON(json)
const [first]: number[] = plain.run([0, status.error + black])
const label: string = likely([first], plain)
const { stats } = new CrossValidate(() => new NeuralNetwork()).train([{ input: [0], output: [1] }], {}, 2)
console.log(label, stats.total)

// @ts-expect-error: no such activation
new NeuralNetwork({ activation: 'sine' })
// @ts-expect-error: rows are objects
network.train([[0, 1]])
