package entry_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/protocol"
)

// access says what each role may do on the subjects of one kind. The letters of a word: publish to its own, to that of another in
// its role, to that of one in the other role; then subscribe to the same three, and to everybody's.
var access = []struct {
	kind                     string
	transcoder, orchestrator string
}{
	{"kinora.v1.bid.", "ynn nnnn", "nnn yyyy"},
	{"kinora.v1.award.", "nnn ynnn", "yyy nnnn"},
	{"kinora.v1.lease.", "nnn ynnn", "yyy nnnn"},
	{"kinora.v1.params.", "nnn ynnn", "yyy nnnn"},
	{"kinora.v1.tickets.", "nnn ynnn", "yyy nnnn"},
	{"kinora.v1.relay.", "yyy nnnn", "nnn ynnn"},
	{"kinora.v1.duty.", "ynn nnnn", "nnn yyyy"},
	{"kinora.v1.event.", "ynn nnnn", "ynn yyyy"},
	{"kinora.v1.commitment.", "nnn yyyy", "ynn yyyy"},
	{"kinora.v1.request.", "nnn yyyy", "ynn nnnn"},
	{"_INBOX.", "nnn ynnn", "nnn ynnn"},
}

// Neither is for any role.
var forbidden = []string{">", "*", "*.>", "kinora.>", "kinora.v1.>", "kinora.v1.*.*", "kinora.v1.nobody", "_INBOX.>", "_INBOX.*.*", "$SYS.>", "$SYS.REQ.USER.AUTH",
	"$SYS.REQ.SERVER.PING.CONNZ", "$JS.API.INFO", "other"}

func TestAccess_isWhatTheTableSays(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		for _, r := range []struct {
			role              protocol.Role
			self, peer, other common.Address
			as                bus.Options
		}{
			{protocol.RoleTranscoder, transcoder.Address(), rival.Address(), orchestrator.Address(), as(transcoder, protocol.RoleTranscoder)},
			{protocol.RoleOrchestrator, orchestrator.Address(), colleague.Address(), transcoder.Address(), as(orchestrator, protocol.RoleOrchestrator)},
		} {
			conn := enter(t, s.urls[len(s.urls)-1], r.as).Conn()
			for _, row := range access {
				word := row.transcoder
				if r.role == protocol.RoleOrchestrator {
					word = row.orchestrator
				}
				tail := ""
				if row.kind == "_INBOX." {
					tail = ".x"
				}
				for i, who := range []string{r.self.Hex(), r.peer.Hex(), r.other.Hex(), "", r.self.Hex(), r.peer.Hex(), r.other.Hex(), "*"} {
					if i == 3 {
						continue
					}
					subject := row.kind + who + tail
					try, what := publishes, "publish"
					if i > 3 {
						try, what = subscribes, "subscribe to"
					}
					if got, want := try(t, conn, subject), word[i] == 'y'; got != want {
						t.Errorf("%s may %s %s: %v, want %v", r.role, what, subject, got, want)
					}
				}
			}
			for _, subject := range forbidden {
				if subscribes(t, conn, subject) {
					t.Errorf("%s may subscribe to %s", r.role, subject)
				}
				if !strings.ContainsAny(subject, "*>") && publishes(t, conn, subject) {
					t.Errorf("%s may publish %s", r.role, subject)
				}
			}
		}
	})
}

// The table must hold every kind of subject that the vocabulary has.
func TestAccess_coversEverySubjectOfTheVocabulary(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../protocol/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	found := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`"(kinora\.v1\.[a-z_]+\.)`).FindAllStringSubmatch(string(b), -1) {
			found[m[1]] = true
		}
	}
	for _, row := range access {
		delete(found, row.kind)
	}
	if len(found) > 0 {
		t.Errorf("no rows for %v: say who may use these, here and in PermissionsOf", found)
	}
}

// publishes and subscribes report whether the server allowed it: what it denies, it says before it answers a flush.
func publishes(t *testing.T, conn *nats.Conn, subject string) bool {
	t.Helper()
	if err := conn.Publish(subject, nil); err != nil {
		t.Fatal(err)
	}
	return allowed(t, conn, `Publish to "`+subject+`"`)
}

func subscribes(t *testing.T, conn *nats.Conn, subject string) bool {
	t.Helper()
	sub, err := conn.SubscribeSync(subject)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	return allowed(t, conn, `Subscription to "`+subject+`"`)
}

func allowed(t *testing.T, conn *nats.Conn, what string) bool {
	t.Helper()
	if err := conn.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	err := conn.LastError()
	return err == nil || !strings.Contains(err.Error(), what)
}
