package verify

// Likeness says how close the pictures of one rendition are to the source's.
type Likeness struct {
	Profile string
	Frames  int // compared
	Bad     int // pictures that are not the source's
	Run     int // most bad pictures in a row
	Worst   string
}
