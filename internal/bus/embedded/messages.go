package embedded

import "fmt"

// Messages counts what clients have published, and what was delivered to them.
func (s *Server) Messages() (published, delivered int64, err error) {
	v, err := s.server.Varz(nil)
	if err != nil {
		return 0, 0, fmt.Errorf("read the counts of NATS: %w", err)
	}
	return v.InMsgs, v.OutMsgs, nil
}
