// Package doctor looks through what a deployment keeps in Redis for keys that nobody owns, and says why nobody does.
//
// What is kept is one table, [rows]: a pattern for each kind of key, how long one may last, and what must be there for it
// to have an owner. A key is found when it breaks its row, or fits none.
//
// Much has no owner for a moment: a ticket has ended and the player's index does not know yet, a node has died and its
// rooms are not claimed. So what only lacks an owner is looked at again after a grace, and is found when it still does.
// What shows its own age, or can never become right, is found at once.
package doctor
