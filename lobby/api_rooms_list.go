package lobby

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
)

type listRoomsInput struct {
	Game      string   `query:"game" maxLength:"31" example:"arena" doc:"Only rooms of this game."`
	Region    string   `query:"region" maxLength:"31" example:"eu" doc:"Only rooms in this region."`
	Tag       []string `query:"tag,explode" maxItems:"8" example:"[\"mode:ctf\"]" doc:"Only rooms with this tag, as NAME:VALUE. May be repeated: a room has them all."`
	OpenSeats int      `query:"open_seats" minimum:"0" maximum:"1000" example:"1" doc:"Only rooms with at least so many free seats."`
	Limit     int      `query:"limit" minimum:"1" maximum:"100" default:"20" example:"20" doc:"At most so many rooms."`
	Cursor    string   `query:"cursor" maxLength:"128" example:"MTc5NTc0MjczNTA2NDp4NW4ycm0…" doc:"The next of the page before."`
	tags      map[string]string
}

// Resolve implements huma.Resolver.
func (in *listRoomsInput) Resolve(huma.Context) []error {
	in.tags = map[string]string{}
	for _, t := range in.Tag {
		name, value, ok := strings.Cut(t, ":")
		if !ok || !tagName.MatchString(name) {
			return []error{&huma.ErrorDetail{Message: "expected NAME:VALUE", Location: "query.tag", Value: t}}
		}
		if other, twice := in.tags[name]; twice && other != value {
			return []error{&huma.ErrorDetail{Message: "expected one value for a name", Location: "query.tag", Value: t}}
		}
		in.tags[name] = value
	}
	return nil
}

// RoomList is a page of rooms.
type RoomList struct {
	Rooms []RoomInfo `json:"rooms" nullable:"false"`
	Next  string     `json:"next,omitempty" doc:"The cursor of the next page; absent at the end. A page may be short, or empty, and not be the last." example:"MTc5NTc0MjczNTA2NDp4NW4ycm0…"`
}

type roomListOutput struct{ Body RoomList }

func (l *Lobby) listRooms(ctx context.Context, in *listRoomsInput) (*roomListOutput, error) {
	games := slices.DeleteFunc(slices.Sorted(maps.Keys(l.games)), func(g string) bool { return l.admitted(ctx, g) != nil })
	if in.Game != "" {
		if _, ok := l.games[in.Game]; !ok {
			return nil, huma.Error404NotFound(noGame)
		}
		if err := l.admitted(ctx, in.Game); err != nil {
			return nil, err
		}
		games = []string{in.Game}
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, l.problem("listing rooms", err)
	}
	list, next, err := l.rooms.Public(ctx, cluster.Filter{
		Games: games, Region: in.Region, Tags: in.tags, OpenSeats: in.OpenSeats, Alive: alive(live),
	}, in.Cursor, in.Limit)
	if errors.Is(err, cluster.ErrCursor) {
		return nil, huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{
			Message: "expected the next of a page", Location: "query.cursor", Value: in.Cursor,
		})
	}
	if err != nil {
		return nil, l.problem("listing rooms", err)
	}
	out := RoomList{Rooms: make([]RoomInfo, len(list)), Next: next}
	for i := range list {
		out.Rooms[i] = l.infoOf(&list[i], "") // a list tells nobody a code
	}
	return &roomListOutput{out}, nil
}

// tagName is what a tag may be called.
var tagName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

// maxTag bounds a tag's value, in bytes; a title has the same bound.
const maxTag = 64

// maxTags is how many a room may have.
const maxTags = 8

// checkTitle says what is wrong with a title.
func checkTitle(title string) []error {
	if title == "" || plainText(title) {
		return nil
	}
	return []error{&huma.ErrorDetail{
		Message: "expected at most 64 bytes without control characters", Location: "body.title", Value: title,
	}}
}

// checkTags says what is wrong with tags.
func checkTags(field string, tags map[string]string) (errs []error) {
	if len(tags) > maxTags { // also of two lists in one body, which come together
		return []error{&huma.ErrorDetail{Message: "expected at most 8 tags", Location: "body." + field}}
	}
	for name, value := range tags {
		switch {
		case !tagName.MatchString(name):
			errs = append(errs, &huma.ErrorDetail{
				Message: "expected a name of a-z, 0-9, _ and -", Location: "body." + field, Value: name,
			})
		case !plainText(value) || len(value) > maxTag:
			errs = append(errs, &huma.ErrorDetail{
				Message: "expected 1 to 64 bytes without control characters", Location: "body." + field + "." + name, Value: value,
			})
		}
	}
	return errs
}
