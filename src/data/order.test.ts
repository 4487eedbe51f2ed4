import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { u } from '../rng.ts'
import { epochOrder, sortByKey } from './order.ts'

describe('epochOrder', () => {
  it('is by rising u(seed, 6, row, epoch)', () => {
    for (const epoch of [0, 1, 6]) {
      const expected = Array.from({ length: 500 }, (_, row) => row).sort((a, b) => u(3, 6, a, epoch) - u(3, 6, b, epoch))
      expect([...epochOrder(3, epoch, 500)]).toEqual(expected)
    }
  })

  it('is a permutation, another for each epoch and seed', () => {
    const orders = [epochOrder(1, 0, 1000), epochOrder(1, 1, 1000), epochOrder(2, 0, 1000)]
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, row) => row))
    expect(new Set(orders.map((order) => order.join())).size).toBe(3)
  })

  it('orders a part as the whole does', () => {
    const own = Int32Array.of(90, 3, 17, 55, 4)
    const whole = [...epochOrder(5, 2, 100)].filter((row) => own.includes(row))
    expect([...epochOrder(5, 2, own)]).toEqual(whole)
    expect([...own]).toEqual([90, 3, 17, 55, 4])
  })

  it('writes where it is told', () => {
    const into = new Int32Array(10)
    expect(epochOrder(1, 0, 10, into)).toBe(into)
    expect(into).toEqual(epochOrder(1, 0, 10))
  })
})

describe('sortByKey', () => {
  it('is the stable order by key', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 3 }))), (keys) => {
        const values = Int32Array.from(keys, (_, i) => i)
        const expected = [...values].sort((a, b) => keys[a]! - keys[b]! || a - b)
        sortByKey(Uint32Array.from(keys), values)
        expect([...values]).toEqual(expected)
      }),
    )
  })
})
