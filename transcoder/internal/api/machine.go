package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

var (
	byCodec  = []string{"codec"}
	byDevice = []string{"kind", "device"}

	descCapacity = prometheus.NewDesc("kinora_transcoder_capacity_pixels_per_second", "Encoded pixels a second this machine sells when idle, were all of them of the codec.", byCodec, nil)
	descFree     = prometheus.NewDesc("kinora_transcoder_free_pixels_per_second", "Encoded pixels a second not leased, were all of them of the codec.", byCodec, nil)
	descUsed     = prometheus.NewDesc("kinora_transcoder_used_ratio", "Part of this machine that its leases take.", nil, nil)
	descCeiling  = prometheus.NewDesc("kinora_transcoder_sold_ratio", "Part of this machine that is sold at most; it falls while segments are late.", nil, nil)
	descLate     = prometheus.NewDesc("kinora_transcoder_late_segments_total", "Segments that took longer than real time after their last source byte.", nil, nil)

	descLoad        = prometheus.NewDesc("kinora_transcoder_device_load_ratio", "Load of a device.", byDevice, nil)
	descTemperature = prometheus.NewDesc("kinora_transcoder_device_temperature_celsius", "Temperature of a device.", byDevice, nil)
	descPower       = prometheus.NewDesc("kinora_transcoder_device_power_watts", "Power a device draws.", byDevice, nil)
	descEnergy      = prometheus.NewDesc("kinora_transcoder_device_energy_joules_total", "Energy a device has used, by its own counter or summed up since the start.", byDevice, nil)
	descMemory      = prometheus.NewDesc("kinora_transcoder_device_memory_used_bytes", "Memory of a device in use.", byDevice, nil)
	descMemoryAll   = prometheus.NewDesc("kinora_transcoder_device_memory_bytes", "Memory of a device.", byDevice, nil)
	descSessions    = prometheus.NewDesc("kinora_transcoder_device_encoder_sessions", "Encoder sessions on a device, of every program.", byDevice, nil)
)

func describeMachine(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descCapacity, descFree, descUsed, descCeiling, descLate, descLoad, descTemperature, descPower, descEnergy,
		descMemory, descMemoryAll, descSessions} {
		out <- d
	}
}

// collectMachine gives what this machine can take, and how its devices fare as far as they say so.
func collectMachine(out chan<- prometheus.Metric, s Stats) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, c := range s.Load.Capacity {
		gauge(descCapacity, float64(c.PixelRate), string(c.Codec))
	}
	for _, c := range s.Load.Free {
		gauge(descFree, float64(c.PixelRate), string(c.Codec))
	}
	gauge(descUsed, float64(s.Load.Used)/capacity.Whole)
	gauge(descCeiling, float64(s.Load.Ceiling)/capacity.Whole)
	out <- prometheus.MustNewConstMetric(descLate, prometheus.CounterValue, float64(s.Load.Late))
	for _, r := range s.Readings {
		for _, m := range readings(r) {
			if m.value != nil {
				out <- prometheus.MustNewConstMetric(m.desc, m.kind, *m.value, r.Kind, r.ID)
			}
		}
	}
}

type reading struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value *float64
}

func readings(r devices.Reading) []reading {
	const gauge = prometheus.GaugeValue
	return []reading{{descLoad, gauge, r.Load}, {descTemperature, gauge, r.Temperature}, {descPower, gauge, r.Power},
		{descEnergy, prometheus.CounterValue, r.Energy}, {descMemory, gauge, r.MemoryUsed}, {descMemoryAll, gauge, r.MemoryTotal},
		{descSessions, gauge, r.Sessions}}
}
