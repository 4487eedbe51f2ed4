import type { CsvOptions } from './readers/csv.ts'
import { networkEntries } from './registry-network-entries.ts'
import { file, type RegistryEntry } from './registry-entry.ts'

// Pinned to a commit: its content has the checksums below.
const jbrownlee = (file: string): string =>
  `https://raw.githubusercontent.com/jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f/${file}`

const mnistMirrors = (file: string): readonly string[] => [
  `https://storage.googleapis.com/cvdf-datasets/mnist/${file}`,
  `https://ossci-datasets.s3.amazonaws.com/mnist/${file}`,
]

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const

const adultColumns = [
  ...['age', 'workclass', 'fnlwgt', 'education', 'education-num', 'marital-status', 'occupation', 'relationship', 'race', 'sex'],
  ...['capital-gain', 'capital-loss', 'hours-per-week', 'native-country', 'income'],
]

/** `?` is a category of its own here: no numeric column has missing values. */
const adult: CsvOptions = {
  header: false,
  columns: adultColumns,
  categorical: ['workclass', 'education', 'marital-status', 'occupation', 'relationship', 'race', 'sex', 'native-country'],
  missingValues: [''],
  classes: ['<=50K', '>50K'],
}

const abaloneColumns = ['sex', 'length', 'diameter', 'height', 'whole weight', 'shucked weight', 'viscera weight', 'shell weight', 'rings']

/** Every real data set that is known by an id. Checksums are of the uncompressed content. */
export const registryEntries = {
  mnist: {
    id: 'mnist',
    title: 'handwritten digits, 28 × 28 pixels',
    task: 'classification',
    origin: 'LeCun, Cortes, Burges',
    licence: 'unknown',
    folders: ['mnist'],
    files: [
      file(
        'train-images-idx3-ubyte.gz',
        47_040_016,
        'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
        mnistMirrors('train-images-idx3-ubyte.gz'),
      ),
      file(
        'train-labels-idx1-ubyte.gz',
        60_008,
        '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
        mnistMirrors('train-labels-idx1-ubyte.gz'),
      ),
      file(
        't10k-images-idx3-ubyte.gz',
        7_840_016,
        '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
        mnistMirrors('t10k-images-idx3-ubyte.gz'),
      ),
      file(
        't10k-labels-idx1-ubyte.gz',
        10_008,
        'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
        mnistMirrors('t10k-labels-idx1-ubyte.gz'),
      ),
    ],
    reader: 'idx',
    train: { file: 0, labels: 1, rows: 60_000, options: { classes: digits } },
    test: { file: 2, labels: 3, rows: 10_000, options: { classes: digits } },
    sizes: { S: 6000, M: 60_000 },
  },
  pendigits: {
    id: 'pendigits',
    title: 'pen-based digits, 8 points each',
    task: 'classification',
    origin: 'Alpaydin and Alimoglu, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['pendigits'],
    files: [
      file('pendigits.tra.gz', 367_892, '13a29b9cc1b40503c51030840092d32e0e99efcbd5331146f832a2e815bb4c35'),
      file('pendigits.tes.gz', 171_731, '70124fa8a06bc820d38591f297271c364b215174410d9711ffafcfc857ff945f'),
    ],
    reader: 'csv',
    train: { file: 0, rows: 7494, options: { header: false, classes: digits } },
    test: { file: 1, rows: 3498, options: { header: false, classes: digits } },
    sizes: { S: 749, M: 7494 },
  },
  a9a: {
    id: 'a9a',
    title: 'UCI Adult as 123 binary features',
    task: 'classification',
    origin: 'LIBSVM data page, derived from UCI Adult',
    licence: 'unknown for this form (UCI Adult: CC BY 4.0)',
    folders: ['a9a'],
    files: [
      file('a9a.gz', 2_329_875, 'f5d5ffd8d865ff41328e7ee043e4b020816914ff6843ff15b98905ddbedce906'),
      file('a9a.t.gz', 1_164_628, '1f448a153f0320399a7e40836eb207655b0bde0f21fc941cc472193daa9f5de9'),
    ],
    reader: 'libsvm',
    train: { file: 0, rows: 32_561, options: { dims: 123, classes: ['-1', '1'] } },
    test: { file: 1, rows: 16_281, options: { dims: 123, classes: ['-1', '1'] } },
    sizes: { S: 3256, M: 32_561 },
  },
  adult: {
    id: 'adult',
    title: 'census income, numeric and categorical columns',
    task: 'classification',
    origin: 'Becker and Kohavi, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['adult'],
    files: [
      file('adult-train.csv.gz', 3_974_305, '5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d', [
        jbrownlee('adult-train.csv'),
      ]),
      file('adult-test.csv.gz', 2_003_132, '72567b94f5c1a6f8501377dd80f93892c3848ff071cf91ba47e00b0785a28074', [
        jbrownlee('adult-test.csv'),
      ]),
    ],
    reader: 'csv',
    train: { file: 0, rows: 32_561, options: adult },
    test: { file: 1, rows: 16_281, options: { ...adult, stripLabel: '.' } },
  },
  covtype: {
    id: 'covtype',
    title: 'forest cover type, the documented training and validation parts',
    task: 'classification',
    origin: 'Blackard and Dean, UCI Machine Learning Repository (first 15,120 of 581,012 rows)',
    licence: 'CC BY 4.0 by the UCI listing; copyright Jock A. Blackard and Colorado State University',
    folders: ['covtype-15120', 'covtype'],
    files: [file('covtype-15120.data.gz', 1_949_041, 'de9010addc936a0991f54ee1a51ab8bb3c3b245aad7abdf97e48fbeec3c23b10')],
    reader: 'csv',
    train: { file: 0, rows: 11_340, options: { header: false, rows: 11_340, classes: ['1', '2', '3', '4', '5', '6', '7'] } },
    test: { file: 0, rows: 3780, options: { header: false, skipRows: 11_340, classes: ['1', '2', '3', '4', '5', '6', '7'] } },
    sizes: { S: 1134, M: 11_340 },
  },
  iris: {
    id: 'iris',
    title: 'three species of iris',
    task: 'classification',
    origin: 'Fisher 1936, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'iris'],
    files: [file('iris.csv', 4_549, 'f5d0c11e5c78a69a20dbb80baf2b24703f59a6687595752abb397d23732647c5', [jbrownlee('iris.csv')])],
    reader: 'csv',
    train: {
      file: 0,
      rows: 150,
      options: {
        header: false,
        classes: ['Iris-setosa', 'Iris-versicolor', 'Iris-virginica'],
        columns: ['sepal length', 'sepal width', 'petal length', 'petal width', 'species'],
      },
    },
  },
  wine: {
    id: 'wine',
    title: 'wines of three cultivars by chemical analysis',
    task: 'classification',
    origin: 'Forina, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'wine'],
    files: [file('wine.csv', 10_782, 'e9c16b779f9194945067f65118da6afb317ef60c6515879c50124dc4f6cdd756', [jbrownlee('wine.csv')])],
    reader: 'csv',
    train: { file: 0, rows: 178, options: { header: false, classes: ['1', '2', '3'] } },
  },
  'breast-cancer': {
    id: 'breast-cancer',
    title: 'cells of breast tumours; 16 missing values become the mean',
    task: 'classification',
    origin: 'Wolberg, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'breast-cancer'],
    files: [
      file('breast-cancer-wisconsin.data', 19_889, '402c585309c399237740f635ef9919dc512cca12cbeb20de5e563a4593f22b64', [
        jbrownlee('breast-cancer-wisconsin.data'),
      ]),
    ],
    reader: 'csv',
    train: { file: 0, rows: 699, options: { header: false, ignore: [0], missing: 'mean', classes: ['2', '4'] } },
  },
  housing: {
    id: 'housing',
    title: 'Boston house prices (with a race-derived column: a historical benchmark only)',
    task: 'regression',
    origin: 'Harrison and Rubinfeld 1978, StatLib',
    licence: 'unknown',
    folders: ['uci-small', 'housing'],
    files: [file('housing.data', 49_081, 'e3e36f7b9e5435f9eb8320e106aebad00031fefa3064527da0c71dec59e49b76', [jbrownlee('housing.data')])],
    reader: 'csv',
    train: { file: 0, rows: 506, options: { header: false, delimiter: ' ', task: 'regression' } },
  },
  'winequality-red': {
    id: 'winequality-red',
    title: 'taste of red wine by chemical analysis',
    task: 'regression',
    origin: 'Cortez et al. 2009, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'winequality-red'],
    files: [
      file('winequality-red.csv', 84_028, 'c9614512e980f1cbd221c796daa97f00c4898c3cd1716863abac60f6cd1a522e', [
        jbrownlee('winequality-red.csv'),
      ]),
    ],
    reader: 'csv',
    train: { file: 0, rows: 1599, options: { header: false, task: 'regression' } },
  },
  'winequality-white': {
    id: 'winequality-white',
    title: 'taste of white wine by chemical analysis',
    task: 'regression',
    origin: 'Cortez et al. 2009, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'winequality-white'],
    files: [
      file('winequality-white.csv', 264_255, '659d419fff887f225bf977d20520bb64a64cae203e460087f809721d4430ba27', [
        jbrownlee('winequality-white.csv'),
      ]),
    ],
    reader: 'csv',
    train: { file: 0, rows: 4898, options: { header: false, task: 'regression' } },
  },
  abalone: {
    id: 'abalone',
    title: 'rings of abalone shells by size and weight',
    task: 'regression',
    origin: 'Nash et al. 1994, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'abalone'],
    files: [file('abalone.csv', 191_872, 'eb2de13be807e9bb9ec4128b9c89b98ab23d7739121cfd17b7dde69b46ba7bf6', [jbrownlee('abalone.csv')])],
    reader: 'csv',
    train: { file: 0, rows: 4177, options: { header: false, task: 'regression', columns: abaloneColumns } },
  },
  ionosphere: {
    id: 'ionosphere',
    title: 'radar returns from the ionosphere',
    task: 'classification',
    origin: 'Sigillito et al. 1989, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'ionosphere'],
    files: [
      file('ionosphere.csv', 76_466, 'fd6dd7864b55d56dac0a1e6e24af9ccc35bf2555ac79af8ab9f3d1daa065ab83', [jbrownlee('ionosphere.csv')]),
    ],
    reader: 'csv',
    train: { file: 0, rows: 351, options: { header: false, classes: ['b', 'g'] } },
  },
  sonar: {
    id: 'sonar',
    title: 'sonar returns from rocks and mines',
    task: 'classification',
    origin: 'Gorman and Sejnowski 1988, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'sonar'],
    files: [file('sonar.csv', 87_775, '3079c09b5d2789a0f96aff82c28e5164fafe2495c5f8da96c6c256c1bd25763f', [jbrownlee('sonar.csv')])],
    reader: 'csv',
    train: { file: 0, rows: 208, options: { header: false, classes: ['M', 'R'] } },
  },
  banknote: {
    id: 'banknote',
    title: 'forged and genuine banknotes by wavelet features',
    task: 'classification',
    origin: 'Lohweg, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['uci-small', 'banknote'],
    files: [
      file('banknote_authentication.csv', 46_400, 'd0539aaed2139ba7a587b3e34fb345ce503ff7d5d33dbf9912d8e195ce425cb9', [
        jbrownlee('banknote_authentication.csv'),
      ]),
    ],
    reader: 'csv',
    train: { file: 0, rows: 1372, options: { header: false, classes: ['0', '1'] } },
  },
  yearprediction: {
    id: 'yearprediction',
    title: 'release year of songs by 12 timbre averages',
    task: 'regression',
    origin: 'Bertin-Mahieux, Million Song Dataset via UCI (a subset)',
    licence: 'unknown for the subset (the full set: CC BY 4.0 by the UCI listing)',
    folders: ['yearpredictionmsd-subset', 'yearprediction'],
    files: [file('millionsong.txt.gz', 1_248_115, '5277c61e9337755b9556b1466601b78c67ecc8bfaeaa5b5658e7c70708048f24')],
    reader: 'csv',
    train: { file: 0, rows: 6724, options: { header: false, label: 'first', task: 'regression' } },
  },
  'water-treatment': {
    id: 'water-treatment',
    title: 'daily state of a waste water plant; 591 missing values become the mean',
    task: 'clustering',
    origin: 'Poch, Bejar, Cortes, UCI Machine Learning Repository',
    licence: 'CC BY 4.0 by the UCI listing',
    folders: ['water-treatment'],
    files: [file('water-treatment.data', 92_480, '8b97cf2244db2c8317d9d165a7a634cfc4cdfc7281eeed08125eca349237bcd0')],
    reader: 'csv',
    train: { file: 0, rows: 527, options: { header: false, label: 'none', ignore: [0], missing: 'mean' } },
  },
  ...networkEntries,
} as const satisfies Readonly<Record<string, RegistryEntry>>
