import { add, dense, mean, relu, reshape, sub } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { type StateBody, stateFeatures } from './state-body.ts'

/** Options of {@link dqn}. */
export interface DqnOptions {
  /** Shape of a state: `[values]`, or `[channels, height, width]`. */
  readonly state: readonly number[]
  readonly actions: number
  readonly body?: StateBody
  /** Two heads, value and advantage, instead of one (default false). */
  readonly duelling?: boolean
}

/** Input of an agent's network: `state`. */
export type StateInputs = { readonly state: readonly number[] }

/**
 * Deep Q-network: the value of every action in a state, `[batch, actions]`. With 84 × 84 × 4 pixels and four actions 1,686,180 parameters.
 * Duelling heads give V + A − mean A; over a convolutional body each of them has a hidden layer as wide as the body's last one.
 * @see Mnih et al., Human-level control through deep reinforcement learning, Nature 518, 2015
 * @see Wang et al., Dueling network architectures for deep reinforcement learning, ICML 2016 (`duelling`)
 */
export function dqn({ state, actions, body, duelling = false }: DqnOptions): Model<StateInputs> {
  return model('dqn', { state }, ({ state: x }) => {
    const features = stateFeatures(x, body)
    if (!duelling) return dense(features, actions, { name: 'out' })
    const units = Number(features.shape[1])
    const value = dense(relu(dense(features, units, { name: 'value.hidden' })), 1, { name: 'value' })
    const advantage = dense(relu(dense(features, units, { name: 'advantage.hidden' })), actions, { name: 'advantage' })
    return add(value, sub(advantage, reshape(mean(advantage, [1]), [1])))
  })
}
