// Writes vectors.json: what the npm package openskill makes of random matches. It is needed when the vectors are made
// anew, never by the tests:
//
//   cd "$(mktemp -d)" && npm init -y && npm install openskill@5.0.1
//   cp …/lobby/rating/testdata/vectors.mjs . && node vectors.mjs >…/lobby/rating/testdata/vectors.json
import { rate } from 'openskill'

// A small random source, so that the same matches come each time (mulberry32).
let state = 20260102
const random = () => {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = (n) => Math.floor(random() * n)

const models = [
  {},
  { tau: 0 },
  { beta: 2, tau: 0.5 },
  { mu: 1500, sigma: 500, beta: 250, tau: 5 },
  { kappa: 0.9 },
]

const vectors = []
for (let i = 0; i < 120; i++) {
  const model = models[i % 4 === 0 ? below(models.length) : 0]
  const mu = model.mu ?? 25
  const shape = i < 6 ? [[1, 1], [2, 2], [1, 1, 1], [5, 5], [1, 3], [1, 1, 1, 1, 1, 1, 1, 1]][i] : Array.from({ length: 2 + below(5) }, () => 1 + below(5))
  const before = shape.map((size) =>
    Array.from({ length: size }, () =>
      i < 6
        ? { mu, sigma: mu / 3 }
        : { mu: mu * (0.2 + 1.6 * random()), sigma: (mu / 3) * (0.05 + 0.95 * random()) }))
  const rank = i < 6 ? shape.map((_, n) => n + 1) : shape.map(() => 1 + below(shape.length))
  const after = rate(before, { ...model, rank })
  const plain = (teams) => teams.map((team) => team.map((p) => [p.mu, p.sigma]))
  vectors.push({ model, rank, before: plain(before), after: plain(after) })
}
console.log('[\n' + vectors.map((v) => JSON.stringify(v)).join(',\n') + '\n]')
