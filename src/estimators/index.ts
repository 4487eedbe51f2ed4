/** Estimators with scikit-learn's names and meanings. @packageDocumentation */
export { KMeans, type KMeansOptions } from './k-means.ts'
export { LinearRegression, type LinearRegressionOptions } from './linear-regression.ts'
export type { Matrix } from './matrix.ts'
