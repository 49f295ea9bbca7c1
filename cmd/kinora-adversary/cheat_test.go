package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

var ladder = protocol.Ladder{
	{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.H264},
	{Name: "160p", Width: 284, Height: 160, Bitrate: 200_000, Codec: protocol.H264},
}

// caughtBy is the first layer that finds each kind.
var caughtBy = map[string]string{
	"black": verify.L0L1, "frozen": verify.L0L1, "flip": verify.L0L1, "replay": verify.L0L1,
	"wrong-size": verify.L0, "low-bitrate": verify.L0, "no-audio": verify.L0, "drop-frames": verify.L0, "truncated": verify.L0, "forged-receipt": verify.L0,
}

func TestEveryCheatIsCaughtByTheLayerThatShould(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Width: 640, Height: 360, Seconds: 4})
	pool := media.NewPool(media.Options{}, 0)
	meter := verify.NewMeter(pool, nil)
	t.Cleanup(func() { meter.Close(); pool.Close() })
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := &cheat{kind: kind, ffmpeg: mediatest.FFmpeg(t), log: slog.New(slog.DiscardHandler)}
			s, err := c.Open(t.Context(), ladder)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var outs [][]byte
			var result *media.Result
			for _, seg := range segments { // the second is judged: it has a predecessor to replay
				outs = make([][]byte, len(ladder))
				result, err = s.Encode(t.Context(), media.Job{Ladder: ladder, Source: bytes.NewReader(seg.Bytes), Out: func(i int, p []byte) error {
					outs[i] = append(outs[i], p...)
					return nil
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
			source := segments[1].Bytes
			for _, deep := range []bool{false, true} {
				v := judge(t, meter, kind, source, outs, result, deep)
				caught := deep || caughtBy[kind] == verify.L0
				if v.Passed == caught || v.Inconclusive || caught && v.Layers != caughtBy[kind] {
					t.Errorf("deep %v: passed %v, layers %s, %q; want %s to catch it", deep, v.Passed, v.Layers, v.Detail, caughtBy[kind])
				}
				t.Logf("deep %v: %s %s", deep, v.Layers, v.Detail)
			}
		})
	}
}

// judge signs the receipt a transcoder would and verifies.
func judge(t *testing.T, meter *verify.Meter, payee string, source []byte, outs [][]byte, result *media.Result, deep bool) verify.Verdict {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer := protocol.NewKeySigner(key)
	domain := protocol.NewDomain(1, common.Address{1})
	a := protocol.Assignment{Orchestrator: common.Address{2}, Transcoder: signer.Address(), Lease: protocol.NewID(), SegmentKey: protocol.SegmentKey{Stream: "s"}, Attempt: protocol.NewID()}
	r := protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: a.Transcoder, Lease: a.Lease, Attempt: a.Attempt, Source: sha256.Sum256(source)}
	for i, made := range result.Renditions {
		r.Renditions = append(r.Renditions, protocol.RenditionReceipt{Profile: protocol.Hash(ladder[i].Hash()), Output: sha256.Sum256(outs[i]),
			Pixels: uint64(made.Pixels), Frames: uint32(made.Frames), FirstPTS: made.FirstPTS, LastPTS: made.LastPTS})
	}
	signed, err := protocol.Seal(domain, signer, r)
	if err != nil {
		t.Fatal(err)
	}
	src := verify.NewSource(verify.Config{Meter: meter}, 0)
	defer src.Cancel()
	if _, err := src.Write(source); err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	check := verify.Begin(t.Context(), src, verify.Spec{Ladder: ladder, Deep: deep, Payee: payee})
	for i, b := range outs {
		_ = check.Write(i, b) // Finish says the same
	}
	return check.Finish(t.Context(), a, signed, domain)
}

func TestRun_saysHowToUseIt(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"transcoder", "--cheat", "politely"}, {"transcoder", "--no-such-flag"}, {"dance"}} {
		var said bytes.Buffer
		if code := run(context.Background(), args, &said); code != 2 {
			t.Errorf("%v: exit %d, %s", args, code, said.String())
		}
	}
	if all := kinds(); !slices.Contains(all, "black") || len(all) != len(caughtBy) {
		t.Error(strings.Join(all, " "))
	}
}
