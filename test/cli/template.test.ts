import test from 'ava';
import { asMap } from '../../cli/render/template/value.js';
import { compileTemplate } from '../../cli/render/template.js';
import { UsageError } from '../../cli/usage.js';

/** The document that `docker context inspect` gives templates: the answers below are those of docker 28 (Go 1.24). */
const DATA = {
  Name: 'default',
  Endpoints: asMap({ docker: { Host: 'unix:///var/run/docker.sock', SkipTLSVerify: false } }),
  TLSMaterial: asMap({}),
  Storage: { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' },
};

const CASES: [template: string, answer: string][] = [
  ['{{.Foo}}', 'error: template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type struct'],
  ['{{.Endpoints.x}}', '<no value>'],
  ['{{.Endpoints.x.y}}', '<no value>'],
  ['{{.Name.X}}', 'error: template: :1:7: executing "" at <.Name.X>: can\'t evaluate field X in type string'],
  ['{{foo}}', 'error: template: :1: function "foo" not defined'],
  ['{{if}}', 'error: template: :1: missing value for if'],
  ['{{if .Name}}', 'error: template: :1: unexpected EOF'],
  ['{{end}}', 'error: template: :1: unexpected {{end}}'],
  ['{{.Name', 'error: template: :1: unclosed action'],
  ['{{.Name}', "error: template: :1: bad character U+007D '}'"],
  ['{{}}', 'error: template: :1: missing value for command'],
  ['{{index .Endpoints "docker"}}', '{unix:///var/run/docker.sock false}'],
  ['{{index .Endpoints "x"}}', '<no value>'],
  ['{{.Endpoints}}', 'map[docker:{unix:///var/run/docker.sock false}]'],
  ['{{.Storage}}', '{<IN MEMORY> <IN MEMORY>}'],
  ['{{json .Storage}}', '{"MetadataPath":"<IN MEMORY>","TLSPath":"<IN MEMORY>"}'],
  ['{{len .Name}} {{len .Endpoints}}', '7 1'],
  ['{{len 3}}', 'error: template: :1:2: executing "" at <len 3>: error calling len: len of type int'],
  [
    '{{range .Name}}x{{end}}',
    'error: template: :1:8: executing "" at <.Name>: range can\'t iterate over default',
  ],
  [
    '{{range .Storage}}x{{end}}',
    'error: template: :1:8: executing "" at <.Storage>: range can\'t iterate over {<IN MEMORY> <IN MEMORY>}',
  ],
  [
    '{{range $k,$v := .Storage}}{{$k}}={{$v}};{{end}}',
    'error: template: :1:17: executing "" at <.Storage>: range can\'t iterate over {<IN MEMORY> <IN MEMORY>}',
  ],
  ['{{range $k,$v := .Endpoints}}{{$k}}={{$v.Host}};{{end}}', 'docker=unix:///var/run/docker.sock;'],
  ['{{eq .Name "default"}} {{eq .Name "x" "default"}}', 'true true'],
  [
    '{{eq .Name 1}}',
    'error: template: :1:2: executing "" at <eq .Name 1>: error calling eq: incompatible types for comparison',
  ],
  ['{{printf "%5s|%-5s|%q|%d|%v|%x" "a" "b" "c" 4 true "hi"}}', '    a|b    |"c"|4|true|6869'],
  [
    '{{printf "%d" "x"}} {{printf "%s" 3}} {{printf "%s"}} {{printf "x" 3}}',
    '%!d(string=x) %!s(int=3) %!s(MISSING) x%!(EXTRA int=3)',
  ],
  ['{{printf "%v %v %v" 1.0 1e100 .Endpoints}}', '1 1e+100 map[docker:{unix:///var/run/docker.sock false}]'],
  ['{{printf "%.2s|%10.3s|%-6d|" "abcdef" "abcdef" 3}}', 'ab|       abc|3     |'],
  ['{{printf "%s %v" (split "a,b" ",") (split "a,b" ",")}}', '[a b] [a b]'],
  ['{{printf "%q" (split "a,b" ",")}}', '["a" "b"]'],
  ['{{$x := 1}}{{$x}}{{$y}}', 'error: template: :1: undefined variable "$y"'],
  ['{{$x := 1}}{{$x = 2}}{{$x}}', '2'],
  ['{{.Name | upper | printf "%s-%s" "a"}}', 'a-DEFAULT'],
  ['{{join (split "a,b" ",") "+"}}', 'a+b'],
  ['{{"a" | 3}}', 'error: template: :1: non executable command in pipeline stage 2'],
  ['{{1 2}}', 'error: template: :1:2: executing "" at <1>: can\'t give argument to non-function 1'],
  ['{{index "abc" 1}} {{slice "abcdef" 1 3}}', '98 bc'],
  [
    '{{index (split "a,b" ",") 5}}',
    'error: template: :1:2: executing "" at <index (split "a,b" ",") 5>: error calling index: index out of range: 5',
  ],
  [
    '{{index (split "a,b" ",") "x"}}',
    'error: template: :1:2: executing "" at <index (split "a,b" ",") "x">: error calling index: cannot index slice/array with type string',
  ],
  ['{{and 1 0}} {{or "" "x"}} {{not 1}} {{and 1 "x"}} {{or 0 ""}}', '0 x false x '],
  ['{{println 1 2 "x"}}', '1 2 x\n'],
  ['{{print 1 2 "x" "y" 3 4}}', '1 2xy3 4'],
  ['a\\tb\\nc', 'a\\tb\\nc'],
  [
    '{{title "hello world-wide it\'s"}} {{pad "x" 2 2}}| {{truncate "hello" 3}} {{truncate "hi" 30}}',
    "Hello World-Wide It'S   x  | hel hi",
  ],
  [
    '{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 2 2}} {{ne "a" "b"}} {{lt "a" "b"}}',
    'true true false true true true',
  ],
  [
    '{{lt "a" 1}}',
    'error: template: :1:2: executing "" at <lt "a" 1>: error calling lt: incompatible types for comparison',
  ],
  ['{{(index .Endpoints "docker").Host}}', 'unix:///var/run/docker.sock'],
  [
    '{{html "<a&\'\\">"}} {{js "a\\"b<"}} {{urlquery "a b&c/d"}}',
    '&lt;a&amp;&#39;&#34;&gt; a\\"b\\u003C a+b%26c%2Fd',
  ],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{range $i := 3}}{{$i}}{{end}}', '012'],
  ['{{range $i, $e := split "a,b" ","}}{{if $i}}, {{end}}{{$e}}{{end}}', 'a, b'],
  ['{{range split "" ","}}[{{.}}]{{else}}none{{end}}', '[]'],
  ['{{range .TLSMaterial}}x{{else}}none{{end}}', 'none'],
  ['{{range split "a,b,c" ","}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', 'ac'],
  ['{{range split "a,b,c" ","}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
  [
    '{{.Name.X.Y}}',
    'error: template: :1:7: executing "" at <.Name.X.Y>: can\'t evaluate field X in type string',
  ],
  ['{{ .Name -}}   x', 'defaultx'],
  ['x   {{- .Name}}', 'xdefault'],
  ['{{- /* c */ -}} z', 'z'],
  ['a {{/* c */}} b', 'a  b'],
  ['{{else}}', 'error: template: :1: unexpected {{else}}'],
  ['{{if 1}}a{{else if 2}}b{{else}}c{{end}}', 'a'],
  ['{{if 0}}a{{else if 2}}b{{else}}c{{end}}', 'b'],
  ['{{if 0}}a{{else if ""}}b{{else}}c{{end}}', 'c'],
  ['{{if .Storage}}struct{{end}}{{if .TLSMaterial}}map{{end}}', 'struct'],
  ['{{with .Endpoints.docker}}{{.Host}} {{$.Name}}{{end}}', 'unix:///var/run/docker.sock default'],
  ['{{with .Endpoints.nope}}x{{else}}y{{end}}', 'y'],
  ['{{with $x := .Name}}{{$x}}{{end}}', 'default'],
  ['{{break}}', 'error: template: :1: {{break}} outside {{range}}'],
  ['{{.Name)}}', 'error: template: :1: unexpected right paren'],
  ['{{(.Name}}', 'error: template: :1: unclosed left paren'],
  ['{{upper 3}}', 'error: template: :1:8: executing "" at <3>: expected string; found 3'],
  [
    '{{upper .Endpoints}}',
    'error: template: :1:8: executing "" at <.Endpoints>: wrong type for value; expected string; got map[string]interface {}',
  ],
  [
    '{{upper}}',
    'error: template: :1:2: executing "" at <upper>: wrong number of args for upper: want 1 got 0',
  ],
  [
    '{{upper "a" "b"}}',
    'error: template: :1:2: executing "" at <upper>: wrong number of args for upper: want 1 got 2',
  ],
  [
    '{{.Endpoints.docker.SkipTLSVerify | upper}}',
    'error: template: :1:36: executing "" at <upper>: wrong type for value; expected string; got bool',
  ],
  ['{{nil}}', 'error: template: :1:2: executing "" at <nil>: nil is not a command'],
  ['{{print nil}}', '<nil>'],
  ['{{1.5}} {{1e3}} {{0x10}} {{1_000}} {{-3}} {{.5}} {{1.0}}', '1.5 1000 16 1000 -3 0.5 1'],
  ["{{'a'}}", '97'],
  ['{{"\\x41\\u00e9\\101\\t"}}|', 'AéA\t|'],
  [
    '{{.Name "x"}}',
    'error: template: :1:2: executing "" at <.Name>: Name has arguments but cannot be invoked as function',
  ],
  ['{{index .Endpoints}}', 'map[docker:{unix:///var/run/docker.sock false}]'],
  [
    '{{index nil 1}}',
    'error: template: :1:2: executing "" at <index nil 1>: error calling index: index of untyped nil',
  ],
  [
    '{{eq 1 1.0}}',
    'error: template: :1:2: executing "" at <eq 1 1.0>: error calling eq: incompatible types for comparison',
  ],
  ['{{eq 1 2 3 1}}', 'true'],
  ['{{@}}', 'error: template: :1: unexpected "@" in command'],
  ['{{"abc}}', 'error: template: :1: unterminated quoted string'],
  ['{{json}}', 'error: template: :1:2: executing "" at <json>: wrong number of args for json: want 1 got 0'],
  ['{{json .Endpoints.nope}}', 'null'],
  ['{{true}} {{false}} {{not true}}', 'true false false'],
  ['{{$.Name}}', 'default'],
  ['{{len (split "a,b" ",")}}', '2'],
  ['{{if and .Name (eq .Name "default")}}yes{{end}}', 'yes'],
  [
    '{{if and}}x{{end}}',
    'error: template: :1:5: executing "" at <and>: wrong number of args for and: want at least 1 got 0',
  ],
  ['{{not}}', 'error: template: :1:2: executing "" at <not>: wrong number of args for not: want 1 got 0'],
  ['{{not 1 2}}', 'error: template: :1:2: executing "" at <not>: wrong number of args for not: want 1 got 2'],
  ['{{if eq .Name "a" | not}}neg{{end}}', 'neg'],
  ['{{`raw "x"`}}', 'raw "x"'],
  ['{{end .Name}}', 'error: template: :1: unexpected ".Name" in end'],
  ['{{if .Name}}a{{else}}b{{else}}c{{end}}', 'error: template: :1: expected end; found {{else}}'],
  ['{{.Name}} {{ .Name }}\t{{lower "ABC"}}', 'default default\tabc'],
  ['{{.Endpoints.docker.Host | printf "%.4s"}}', 'unix'],
  ['{{range .Endpoints}}{{.Host}}{{end}}', 'unix:///var/run/docker.sock'],
  ['{{.Name | len}}', '7'],
  ['{{printf "%d%%" 50}}', '50%'],
  ['{{ join (split "a b" " ") "," | upper }}', 'A,B'],
  ['{{split 1 ","}}', 'error: template: :1:8: executing "" at <1>: expected string; found 1'],
  [
    '{{slice "abc" 5}}',
    'error: template: :1:2: executing "" at <slice "abc" 5>: error calling slice: index out of range: 5',
  ],
  ['{{slice "abc" 1}} {{slice "abc"}}', 'bc abc'],
  [
    '{{index "abc" 9}}',
    'error: template: :1:2: executing "" at <index "abc" 9>: error calling index: index out of range: 9',
  ],
  ['{{a.b}}', 'error: template: :1: function "a" not defined'],
  ['{{.a-b}}', "error: template: :1: bad character U+002D '-'"],
  ['{{if .Name}}{{/* x */}}{{end}}ok', 'ok'],
  ['{{.}}x{{.Name', 'error: template: :1: unclosed action'],
  [
    '{{1 | upper}}',
    'error: template: :1:6: executing "" at <upper>: wrong type for value; expected string; got int',
  ],
];

function run(template: string, data: unknown = DATA): string {
  try {
    return compileTemplate(template)(data);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message.replace('template parsing error: ', 'error: ');
  }
}

for (const [template, answer] of CASES)
  test(`template ${JSON.stringify(template)}`, (t) => {
    t.is(run(template), answer);
  });

test('a field that is a method gets its arguments, also through a pipe', (t) => {
  const row = { Label: (key: string) => `<${key}>` };
  t.is(run('{{.Label "a"}} {{"b" | .Label}}', row), '<a> <b>');
});

test('fields that are maps by name answer a missing key with no value, structs with an error', (t) => {
  const data = { Config: { Labels: { a: '1' }, User: '' } };
  t.is(
    run('{{.Config.Labels.b}}|{{index .Config.Labels "b"}}|{{index .Config.Labels "a"}}', data),
    '<no value>||1',
  );
  t.is(run('{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}{{end}}', data), 'a=1');
  t.regex(run('{{.Config.Nope}}', data), /at <.Config.Nope>: can't evaluate field Nope/);
});

test('json keeps the order of structs, sorts maps and escapes what a terminal would obey', (t) => {
  const data = { B: 1, A: 2, Labels: { z: '\u009b', a: '<b>' } };
  t.is(run('{{json .}}', data), '{"B":1,"A":2,"Labels":{"a":"<b>","z":"\\u009b"}}');
});

test('the place of an error is line and byte column', (t) => {
  t.is(
    run('é\n {{.Nope}}'),
    'error: template: :2:3: executing "" at <.Nope>: can\'t evaluate field Nope in type struct',
  );
});
