import { type Check, findProgram, installHint, outputOf } from './check.ts'

/** What tests, benchmarks and reports use beside the library. All of it is optional. */
export function toolChecks(): Check[] {
  return [namespaceCheck(), chromiumCheck(), peersCheck(), compilerCheck()]
}

function namespaceCheck(): Check {
  const name = 'network namespaces'
  if (process.platform !== 'linux')
    return { name, status: 'missing', detail: 'only on Linux: limited networks are modelled', mend: 'nothing to do' }
  if (findProgram('ip') === undefined) return { name, status: 'missing', detail: 'no ip command', mend: installHint('iproute2') }
  if (findProgram('unshare') !== undefined && outputOf('unshare', ['--net', 'true']) !== undefined) {
    return { name, status: 'ok', detail: 'may be made: several hosts with limited links on this machine' }
  }
  return {
    name,
    status: 'missing',
    detail: 'may not be made: tests with several hosts are skipped',
    mend: 'run as root, or give the container CAP_SYS_ADMIN',
  }
}

function chromiumCheck(): Check {
  const name = 'Chromium'
  const found = findProgram('chromium', 'chromium-browser', 'google-chrome')
  if (found === undefined)
    return {
      name,
      status: 'missing',
      detail: 'not found: tests of the report are skipped',
      mend: installHint('chromium', '--cask chromium'),
    }
  return { name, status: 'ok', detail: found }
}

const peerPackages = `import importlib.metadata as m
def v(p):
    try: return p + ' ' + m.version(p)
    except Exception: return ''
print(', '.join(filter(None, map(v, ['torch', 'scikit-learn', 'numpy']))))`

function peersCheck(): Check {
  const name = 'Python peers'
  const mend = 'pip install torch==2.13.0 scikit-learn==1.9.1'
  const found = outputOf(process.env['TUTTI_PYTHON'] || 'python3', ['-c', peerPackages])
  if (found === undefined)
    return {
      name,
      status: 'missing',
      detail: 'no python3: tutti bench measures without a peer',
      mend: `${installHint('python3 python3-pip', 'python')}, then ${mend}`,
    }
  const isComplete = found.includes('torch') && found.includes('scikit-learn')
  return isComplete
    ? { name, status: 'ok', detail: found }
    : { name, status: 'missing', detail: `${found || 'none installed'}: some benchmarks measure without a peer`, mend }
}

function compilerCheck(): Check {
  const name = 'C compiler'
  const found = findProgram('cc', 'gcc', 'clang')
  if (found === undefined)
    return {
      name,
      status: 'missing',
      detail: 'not found: tutti bench allreduce measures without its C peer',
      mend: installHint('gcc libc6-dev', 'gcc'),
    }
  return { name, status: 'ok', detail: found }
}
