// Package rating knows how good players are, as far as their results tell: the model of Weng and Lin for matches of any
// number of teams of any size, with draws. It is a function of skills and ranks alone and keeps nothing.
//
// A match is rated by [Model.Rate], and [Model.Win] says beforehand how it may end. [ReadHistory] and [Evaluate] judge
// the model by a studio's past matches. docs/RATINGS.md has the formulas.
package rating
