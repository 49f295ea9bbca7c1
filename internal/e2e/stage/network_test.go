package stage

import (
	"context"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// inside runs f in the namespace: what it opens stays there.
func (n *network) inside(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine: it is in no state to be used again
		file, err := os.Open("/var/run/netns/" + n.name)
		if err == nil {
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
			_ = file.Close()
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestNetwork_dropsAsManyPacketsAsItSays counts datagrams, of which none is sent twice.
func TestNetwork_dropsAsManyPacketsAsItSays(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if err := Separable(ctx); err != nil {
		t.Log(err) // there is nothing to drop
		return
	}
	n, err := newNetwork(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.close)
	var far net.PacketConn
	n.inside(t, func() { far, err = net.ListenPacket("udp", n.guest+":0") })
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	_ = far.(*net.UDPConn).SetReadBuffer(8 << 20)
	near, err := net.Dial("udp", far.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	const sent = 2000
	arrived := func() int {
		t.Helper()
		count, buffer := 0, make([]byte, 16)
		for i := range sent {
			if _, err := near.Write([]byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
			if i%100 == 99 { // not more than the socket holds
				for {
					_ = far.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
					if _, _, err := far.ReadFrom(buffer); err != nil {
						break
					}
					count++
				}
			}
		}
		return count
	}
	if got := arrived(); got != sent {
		t.Fatalf("%d of %d datagrams arrive on a whole network", got, sent)
	}
	if err := n.lose(ctx, 30); err != nil {
		t.Fatal(err)
	}
	if got := arrived(); got < sent*65/100 || got > sent*75/100 {
		t.Errorf("%d of %d datagrams arrive where 30 %% are to be lost", got, sent)
	}
	if err := n.heal(ctx); err != nil {
		t.Fatal(err)
	}
	if err := n.cut(ctx); err != nil {
		t.Fatal(err)
	}
	if got := arrived(); got != 0 {
		t.Errorf("%d datagrams cross a cut", got)
	}
	if err := n.heal(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := arrived(); got != sent {
		t.Errorf("%d of %d datagrams arrive on a healed network", got, sent)
	}
}
