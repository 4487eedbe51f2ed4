import { concat, dense } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import type { StateInputs } from './dqn.ts'
import { type StateBody, stateFeatures } from './state-body.ts'

/** Options of {@link actorCritic}. */
export interface ActorCriticOptions {
  /** Shape of a state: `[values]`, or `[channels, height, width]`. */
  readonly state: readonly number[]
  /** Actions to choose from, or numbers of a continuous action. */
  readonly actions: number
  readonly body?: StateBody
  /** Whether policy and value see the same features (default true). */
  readonly shared?: boolean
}

/**
 * Actor and critic: `[batch, actions + 1]`, the policy's scores before the softmax (of a continuous action its means) and, in the last column,
 * the value of the state.
 * @see Mnih et al., Asynchronous methods for deep reinforcement learning, ICML 2016 (`shared`)
 * @see Schulman et al., Proximal policy optimization algorithms, arXiv 1707.06347, 2017 (networks apart)
 */
export function actorCritic({ state, actions, body, shared = true }: ActorCriticOptions): Model<StateInputs> {
  return model('actor-critic', { state }, ({ state: x }) => {
    const forPolicy = stateFeatures(x, body, shared ? '' : 'actor.')
    const forValue = shared ? forPolicy : stateFeatures(x, body, 'critic.')
    return concat([dense(forPolicy, actions, { name: 'policy' }), dense(forValue, 1, { name: 'value' })], 1)
  })
}
