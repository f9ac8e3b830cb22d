package rating_test

import (
	"fmt"

	"muster/lobby/rating"
)

func Example() {
	var model rating.Model // the default one
	newcomer, regular := model.New(), rating.Skill{Mu: 30, Sigma: 2}
	teams := [][]rating.Skill{{newcomer}, {regular}}
	fmt.Printf("the newcomer wins with %.2f\n", model.Win(teams)[0])

	after := model.Rate(teams, []int{1, 2}) // and does
	fmt.Printf("%+v\n", after[0][0].Rating().Rounded())
	fmt.Printf("%+v\n", after[1][0].Rating().Rounded())
	// Output:
	// the newcomer wins with 0.38
	// {Mean:1165 Deviation:312}
	// {Mean:1190 Deviation:80}
}
