package batch

import (
	"encoding/json"
	"unicode/utf8"
)

// Name is a file name in JSON: a string, or {"base64": …} if it is not valid UTF-8,
// so that nothing is lost.
type Name string

type encodedName struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (n Name) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(n)) {
		return json.Marshal(string(n))
	}
	return json.Marshal(encodedName{[]byte(n)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Name) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err == nil {
		*n = Name(s)
		return nil
	}
	var e encodedName
	err := json.Unmarshal(text, &e)
	*n = Name(e.Base64)
	return err
}
