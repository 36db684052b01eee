'use strict'

// What mikir uses of node:util, where there is no Node.js.

/** What a typed array or a DataView is of, whatever properties it has been given over its own. */
const { get: typedArrayOf } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag
)

const isKind = (kind) => (value) => typedArrayOf.call(value) === kind

/** Whether a getter or a method that only objects of one class have works on a value: they may be of another realm. */
const answers = (body) => (value) => {
  try {
    body(value)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

const getter = (prototype, name) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name)
  return answers((value) => get.call(value))
}

const isArrayBuffer = getter(ArrayBuffer.prototype, 'byteLength')
const isSharedArrayBuffer =
  typeof SharedArrayBuffer === 'undefined' ? () => false : getter(SharedArrayBuffer.prototype, 'byteLength')

const types = {
  isAnyArrayBuffer: (value) => isArrayBuffer(value) || isSharedArrayBuffer(value),
  isArrayBuffer,
  isBigInt64Array: isKind('BigInt64Array'),
  isBigUint64Array: isKind('BigUint64Array'),
  isDataView: getter(DataView.prototype, 'byteLength'),
  isDate: answers((value) => Date.prototype.getTime.call(value)),
  isFloat32Array: isKind('Float32Array'),
  isFloat64Array: isKind('Float64Array'),
  isMap: getter(Map.prototype, 'size'),
  isPromise: (value) => value instanceof Promise,
  // Only Node.js can tell.
  isProxy: () => false,
  isSet: getter(Set.prototype, 'size'),
  isSharedArrayBuffer,
  isTypedArray: (value) => typedArrayOf.call(value) !== undefined,
  isUint8Array: isKind('Uint8Array')
}

module.exports = { TextEncoder, types }
