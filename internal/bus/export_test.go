package bus

// PublishRaw puts any bytes on any subject.
func PublishRaw(b *Bus, subject string, data []byte) error { return b.publish(subject, data) }
