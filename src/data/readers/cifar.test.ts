import { testReader } from '../../../tests/contracts/reader-contract.ts'
import { cifar } from './cifar.ts'

const pixelsOf = (row: number): number[] => Array.from({ length: 3072 }, (_, i) => (i * 7 + row * 31) % 256)
const record = (label: number, row: number): number[] => [label, ...pixelsOf(row)]
const file = (...records: number[][]): Uint8Array => Uint8Array.from(records.flat())
const good = [record(6, 0), record(9, 1), record(0, 2)]
const classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

testReader({
  reader: cifar,
  good: { files: { 'train.bin': file(...good) }, features: [0, 1, 2].map(pixelsOf), target: [6, 9, 0], classes },
  truncated: { files: { 'cut.bin': file(...good).subarray(0, -10) }, message: /byte 9209: the file ends inside a record/ },
  malformed: { files: { 'text.bin': 'not a picture' }, message: /byte 13: the file ends inside a record/ },
  badLabel: { files: { 'wrong.bin': file(record(6, 0), record(200, 1)) }, message: /byte 3073: label 1 cannot be used — .*, got 200/ },
  unknownLabel: {
    files: { 'more.bin': file(...good) },
    options: { classes: classes.slice(0, 9) },
    message: /label 1 cannot be used — expected a label from 0 to 8, got 9/,
  },
})
