package protocol

// A broadcaster's, about what becomes of a stream when the market refuses. Detail says which rungs are made now, Code why.
const (
	StreamDegraded EventKind = "stream_degraded" // rungs were shed, or the source passes through, or nothing does
	StreamRestored EventKind = "stream_restored" // a step back up
	SpendCapNear   EventKind = "spend_cap_near"  // four fifths of a cap are used: what comes next is a smaller ladder
	SegmentHedged  EventKind = "segment_hedged"  // a second orchestrator was given a segment that straggles
)
