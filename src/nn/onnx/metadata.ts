/** Key of a file's metadata under which the model itself is kept. */
export const metadataKey = 'tutti.model'
