/** Inputs of a model that reads numbers of words or characters: `tokens`, int32 `[batch, steps]`. */
export type TokenInputs = { readonly tokens: { readonly shape: readonly number[]; readonly dtype: 'int32' } }
