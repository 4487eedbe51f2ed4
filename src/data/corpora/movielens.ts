import { u } from '../../rng.ts'
import type { Dataset } from '../dataset.ts'
import { excerpt, fileFault } from '../files/file-fault.ts'
import { makeDataset } from '../make-dataset.ts'
import type { Corpus } from './corpus.ts'
import { readLines } from './read-content.ts'

const splitStream = 9
const testShare = 0.1

interface Rating {
  readonly user: number
  readonly film: number
  readonly stars: number
}

/**
 * Ratings of films: a row is a user and a film, as numbers counted from 0 in the order of their ids, the target the stars. Rating i of the file
 * evaluates where u(0, 9, i, 0) < 0.1.
 * @see F. M. Harper, J. A. Konstan, The MovieLens datasets: history and context, ACM TiiS 5(4), 2015
 */
export const movielens: Corpus = {
  options: [],
  async read(name, [path], _options, context) {
    const lines = await readLines(path!, context)
    const ratings = lines.slice(1).map((line, i) => parse(path!, line, i + 2))
    const users = ranks(ratings.map(({ user }) => user))
    const films = ranks(ratings.map(({ film }) => film))
    const isTest = ratings.map((_, i) => u(0, splitStream, i, 0) < testShare)
    const part = (own: string, wanted: boolean): Dataset =>
      rowsOf(
        own,
        ratings.filter((_, i) => isTest[i] === wanted),
        users,
        films,
      )
    return { train: part(name, false), test: part(`${name} test`, true) }
  },
}

function parse(path: string, line: string, number: number): Rating {
  const [user, film, stars] = line.split(',').map(Number) as [number, number, number]
  if (Number.isInteger(user) && Number.isInteger(film) && Number.isFinite(stars)) return { user, film, stars }
  const expected = 'userId,movieId,rating,timestamp'
  const mend = 'fetch the file again'
  throw fileFault({ area: 'movielens', path, line: number, what: 'the line cannot be read', expected, got: excerpt(line), mend })
}

/** Id → number, by rising id. */
function ranks(ids: readonly number[]): ReadonlyMap<number, number> {
  return new Map([...new Set(ids)].sort((a, b) => a - b).map((id, rank) => [id, rank]))
}

function rowsOf(name: string, ratings: readonly Rating[], users: ReadonlyMap<number, number>, films: ReadonlyMap<number, number>): Dataset {
  const values = new Int32Array(2 * ratings.length)
  for (const [row, { user, film }] of ratings.entries()) values.set([users.get(user)!, films.get(film)!], 2 * row)
  return makeDataset({
    name,
    features: { dtype: 'int32', shape: [ratings.length, 2], values },
    target: { dtype: 'float32', shape: [ratings.length], values: Float32Array.from(ratings, ({ stars }) => stars) },
    featureNames: ['user', 'film'],
    categories: [users, films].map((ids) => [...ids.keys()].map(String)),
    normalize: { scale: 1, shift: 0 },
  })
}
