package settings

import (
	"regexp"
	"strings"
)

var (
	scheme  = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://`)
	urlsEnd = regexp.MustCompile(`[\s"'<>]`)
	// What in a URL may be a secret besides what stands before its @: the values of parameters named like one, and a path
	// segment as long as the keys that providers of chain endpoints hand out.
	parameter   = regexp.MustCompile(`(?i)([?&][a-z_-]*(?:pass|secret|token|key|auth)[a-z_-]*=)[^&#]+`)
	longSegment = regexp.MustCompile(`/[A-Za-z0-9_-]{24,}`)
	// A database may also be named by KEYWORD=VALUE pairs.
	keyword = regexp.MustCompile(`(?i)\b((?:ssl)?password\s*=\s*)('[^']*'|\S+)`)
)

// WithoutSecrets is text with *** for the secrets of every URL in it.
func WithoutSecrets(text string) string {
	var out strings.Builder
	for {
		at := scheme.FindStringIndex(text)
		if at == nil {
			out.WriteString(keyword.ReplaceAllString(text, "${1}***"))
			return out.String()
		}
		out.WriteString(keyword.ReplaceAllString(text[:at[0]], "${1}***"))
		out.WriteString(text[at[0]:at[1]])
		text = text[at[1]:]
		end := len(text)
		for _, r := range []*regexp.Regexp{urlsEnd, scheme} {
			if next := r.FindStringIndex(text[:end]); next != nil {
				end = next[0]
			}
		}
		out.WriteString(hideInURL(text[:end]))
		text = text[end:]
	}
}

// hideInURL hides in what follows the ://. It keeps the user of user:password@, which tells whose database it is, but no
// lone word before an @: NATS takes a token there.
func hideInURL(u string) string {
	if i := strings.LastIndex(u, "@"); i >= 0 {
		user, _, ok := strings.Cut(u[:i], ":")
		if !ok {
			u = "***" + u[i:]
		} else {
			u = user + ":***" + u[i:]
		}
	}
	u = parameter.ReplaceAllString(u, "${1}***")
	return longSegment.ReplaceAllString(u, "/***")
}
