/** What a data set is for, as listings say it. */
export type Task =
  | 'classification'
  | 'regression'
  | 'clustering'
  | 'segmentation'
  | 'click prediction'
  | 'recommendation'
  | 'language modelling'
  | 'translation'
