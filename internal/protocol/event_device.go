package protocol

// A transcoder's: a GPU failed under a lease, whose work goes to the CPU; it passed a trial later. Detail names it.
const (
	DeviceDropped  EventKind = "device_dropped"
	DeviceRestored EventKind = "device_restored"
)
