/**
 * Convolution over tiles (see `../layouts.ts`), stride 1. With tile t and kernel k, one row of the result is a t × t tile; it depends on a
 * patch of m × m input tiles, m = ⌈(t + k − 1)/t⌉. Drawn in one dimension, t = 2, k = 5, m = 3:
 *
 *   input tiles   [0 1][2 3][4 5][6 7]      patch of result tile 0: tiles 0–2, of tile 1: tiles 1–3
 *   result tiles  [0 1][2 3]                result 0 = Σ w·(0…4), result 1 = Σ w·(1…5)
 *
 *   P = gathered patches                    [batch·tiles, (m·t)²·c]
 *   W = weights spread over the patch       [(m·t)²·c, t²·o]: for every result offset a shifted copy of the filter, zeros elsewhere
 *   value = P·W + bias,   dW = Pᵀ·dY gathered back,   dP = dY·Wᵀ, whose overlapping patches are added into the input's tiles
 *
 * Zeros cost arithmetic, (m·t)²/k² times as many products for each result pixel, but the products are wide, and far fewer pixels are
 * copied: (m·t)²/t² for each result instead of k².
 * @packageDocumentation
 */
import type { TensorType } from '../graph.ts'
import type { ConvAttributes } from './attributes.ts'
import type { LowerContext } from './rule.ts'

/** Geometry of a convolution over tiles; both sides alike: `[vertical, horizontal]`. */
export interface TiledConv {
  readonly tile: number
  readonly channels: number
  readonly filters: number
  readonly kernel: readonly [number, number]
  readonly size: readonly [number, number]
  readonly padding: readonly [number, number]
  /** Tiles of the result. */
  readonly results: readonly [number, number]
  /** Tiles that one result tile reads. */
  readonly patch: readonly [number, number]
  /** Tiles of the input, padding included. */
  readonly grid: readonly [number, number]
  /** True when the input's own tiles are the grid: there is no padding, before or behind. */
  readonly isAligned: boolean
}

/** What a lowering of a convolution has. */
type Context = Pick<LowerContext<unknown>, 'emit' | 'constant' | 'shared'>

/** Costs in ns, measured for one AVX-512 thread of ONNX Runtime: a copied element, a moved one (transposed), a product (2 FLOPs). */
const cost = { copy: 1.2, move: 4, product: 0.026 } as const

/**
 * The tile that makes a convolution cheapest; undefined where the plain operator is cheaper or tiles do not fit (stride, odd extents,
 * groups, dilation, three spatial dims).
 * A function of the shapes alone.
 */
export function chooseTile(image: TensorType, filter: TensorType, attrs: ConvAttributes): TiledConv | undefined {
  const isPlain = attrs.groups === 1 && [...attrs.stride, ...attrs.dilation].every((extent) => extent === 1)
  if (!isPlain || attrs.stride.length !== 2) return undefined
  const padding = attrs.padding as readonly [number, number]
  const [channels, height, width] = image.shape.slice(1).map(Number) as [number, number, number]
  const [filters, , kernelHeight, kernelWidth] = filter.shape.map(Number) as [number, number, number, number]
  const kernel: [number, number] = [kernelHeight, kernelWidth]
  const positions: [number, number] = [height + 2 * padding[0] - kernel[0] + 1, width + 2 * padding[1] - kernel[1] + 1]
  const pixels = positions[0] * positions[1]
  const window = channels * kernel[0] * kernel[1]
  let best: TiledConv | undefined
  let least = pixels * window * (cost.copy + filters * cost.product)
  for (const tile of [4, 2]) {
    if (positions.some((extent) => extent % tile !== 0)) continue
    const geometry = geometryOf(tile, channels, filters, kernel, [height, width], padding, positions)
    const rows = pixels / tile ** 2
    const patchElements = geometry.patch[0] * geometry.patch[1] * tile ** 2 * channels
    const arranged = geometry.isAligned ? 0 : channels * height * width * cost.move
    const time = rows * patchElements * (cost.copy + tile ** 2 * filters * cost.product) + arranged
    if (time < least) [best, least] = [geometry, time]
  }
  return best
}

function geometryOf(
  tile: number,
  channels: number,
  filters: number,
  kernel: readonly [number, number],
  size: readonly [number, number],
  padding: readonly [number, number],
  positions: readonly [number, number],
): TiledConv {
  const pair = (f: (d: 0 | 1) => number): [number, number] => [f(0), f(1)]
  const results = pair((d) => positions[d] / tile)
  const patch = pair((d) => Math.ceil((tile + kernel[d] - 1) / tile))
  const grid = pair((d) => results[d] + patch[d] - 1)
  const isAligned = [0, 1].every((d) => padding[d] === 0 && (grid[d] as number) * tile === size[d])
  return { tile, channels, filters, kernel, size, padding, results, patch, grid, isAligned }
}

/** P: `[batch · result tiles, patch elements]`; made once for the value and the filter's gradient. */
export function patches(context: LowerContext<unknown>, conv: TiledConv, input: number): string {
  const { emit, constant, shared, inputTypes } = context
  const batch = Number((inputTypes[input] as TensorType).shape[0])
  const { tile, channels, grid, results, patch } = conv
  const source = conv.isAligned ? context.inputAs(input, tile) : paddedTiles(context, conv, input, batch)
  return shared(`patches ${source} ${JSON.stringify(conv)}`, () => {
    const pixels = tile ** 2 * channels
    const tiles = reshape(context, source, [batch, grid[0] * grid[1], pixels])
    const places = patchPlaces(conv)
    const gathered = emit('Gather', [tiles, constant(places, [places.length], 'int64')], { axis: 1 })
    return reshape(context, gathered, [batch * results[0] * results[1], patch[0] * patch[1] * pixels])
  })
}

/** The input's tiles with zeros around, on the grid of the patches. */
function paddedTiles(context: LowerContext<unknown>, conv: TiledConv, input: number, batch: number): string {
  const { emit, constant, shared } = context
  const { tile, channels, size, padding, grid } = conv
  const image = context.inputs[input] as string
  return shared(`padded tiles ${image} ${JSON.stringify(conv)}`, () => {
    const behind = [0, 1].map((d) => (grid[d] as number) * tile - (size[d] as number) - (padding[d] as number))
    const padded = emit('Pad', [image, constant([0, 0, ...padding, 0, 0, ...behind], [8], 'int64')])
    return context.toTiles(padded, [batch, channels, grid[0] * tile, grid[1] * tile], tile)
  })
}

/** For every result tile and every tile of its patch: the number of that tile in the grid. */
function patchPlaces({ results, patch, grid }: TiledConv): number[] {
  const places: number[] = []
  for (let y = 0; y < results[0]; y++) {
    for (let x = 0; x < results[1]; x++) {
      for (let dy = 0; dy < patch[0]; dy++) for (let dx = 0; dx < patch[1]; dx++) places.push((y + dy) * grid[1] + x + dx)
    }
  }
  return places
}

/** For every pixel of a patch (in tile order) and every offset in a result tile: the tap of the filter between them, −1 for none. */
function patchTaps({ tile, kernel, patch }: TiledConv): number[] {
  const taps: number[] = []
  const forEachOffset = (visit: (y: number, x: number) => void): void => {
    for (let y = 0; y < tile; y++) for (let x = 0; x < tile; x++) visit(y, x)
  }
  for (let ty = 0; ty < patch[0]; ty++) {
    for (let tx = 0; tx < patch[1]; tx++) {
      forEachOffset((py, px) => {
        forEachOffset((oy, ox) => {
          const [ky, kx] = [ty * tile + py - oy, tx * tile + px - ox]
          const isInside = ky >= 0 && ky < kernel[0] && kx >= 0 && kx < kernel[1]
          taps.push(isInside ? ky * kernel[1] + kx : -1)
        })
      })
    }
  }
  return taps
}

/** W: the filter `[o, c, kh, kw]` spread over the patch, `[patch elements, tile²·o]`. */
export function spreadFilter(context: Context, conv: TiledConv, filter: string): string {
  const { emit, constant, shared } = context
  const { tile, channels, filters, kernel, patch } = conv
  return shared(`spread ${filter} ${JSON.stringify(conv)}`, () => {
    const taps = kernel[0] * kernel[1]
    const pixels = patch[0] * patch[1] * tile ** 2
    // [taps, c·o]: a block for each tap, and a block of zeros behind them.
    const byTap = emit('Transpose', [reshape(context, filter, [filters, channels, taps])], { perm: [2, 1, 0] })
    const zeros = constant(new Array<number>(channels * filters).fill(0), [1, channels * filters], 'float32')
    const blocks = emit('Concat', [reshape(context, byTap, [taps, channels * filters]), zeros], { axis: 0 })
    const numbers = patchTaps(conv).map((tap) => (tap < 0 ? taps : tap))
    const spread = emit('Gather', [blocks, constant(numbers, [numbers.length], 'int64')], { axis: 0 })
    const rows = reshape(context, spread, [pixels, tile ** 2, channels, filters])
    const ordered = channels === 1 ? rows : emit('Transpose', [rows], { perm: [0, 2, 1, 3] })
    return reshape(context, ordered, [pixels * channels, tile ** 2 * filters])
  })
}

/** The adjoint of {@link spreadFilter}: adds up the places of every tap; `[o, c, kh, kw]`. */
export function gatherFilter(context: Context, conv: TiledConv, spread: string): string {
  const { emit, constant } = context
  const { tile, channels, filters, kernel, patch } = conv
  const pixels = patch[0] * patch[1] * tile ** 2
  const rows = reshape(context, spread, [pixels, channels, tile ** 2, filters])
  const ordered = channels === 1 ? rows : emit('Transpose', [rows], { perm: [0, 2, 1, 3] })
  const blocks = reshape(context, ordered, [pixels * tile ** 2, channels * filters])
  // Every tap is met once from every offset of the result tile.
  const taps = patchTaps(conv)
  const places = Array.from({ length: kernel[0] * kernel[1] }, (_, tap) =>
    taps.flatMap((found, place) => (found === tap ? [place] : [])),
  ).flat()
  const gathered = emit('Gather', [blocks, constant(places, [kernel[0] * kernel[1], tile ** 2], 'int64')], { axis: 0 })
  const summed = emit('ReduceSum', [gathered, constant([1], [1], 'int64')], { keepdims: 0 })
  const byTap = reshape(context, summed, [kernel[0] * kernel[1], channels, filters])
  return reshape(context, emit('Transpose', [byTap], { perm: [2, 1, 0] }), [filters, channels, ...kernel])
}

/** The adjoint of {@link patches}: adds dP into the tiles of the grid, `[batch · grid tiles, tile²·c]`. */
export function addPatches(context: Context, conv: TiledConv, gradient: string, batch: number): string {
  const { emit, constant } = context
  const { tile, channels, grid, results, patch } = conv
  const pixels = tile ** 2 * channels
  const count = results[0] * results[1] * patch[0] * patch[1]
  const tiles = grid[0] * grid[1]
  const places = patchPlaces(conv)
  const numbers = Array.from({ length: batch }, (_, n) => places.map((place) => n * tiles + place)).flat()
  const zeros = emit('Expand', [constant([0], [1], 'float32'), constant([batch * tiles, pixels], [2], 'int64')])
  const blocks = reshape(context, gradient, [batch * count, pixels])
  return emit('ScatterND', [zeros, constant(numbers, [numbers.length, 1], 'int64'), blocks], { reduction: 'add' })
}

function reshape({ emit, constant }: Pick<Context, 'emit' | 'constant'>, name: string, shape: readonly number[]): string {
  return emit('Reshape', [name, constant(shape, [shape.length], 'int64')])
}
