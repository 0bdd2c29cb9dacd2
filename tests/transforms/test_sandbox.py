"""What a hostile script may try, who ships in a file that others run: all of it ends, as an error of the script.

None of these may hang: where a limit does not hold, the suite does not end.
"""

import numpy as np
import pytest

from encoderfile.transforms import script
from support.scripts_in_lua import failure, postprocess, run

T = np.ones((2, 3, 4), np.float32)
INSTRUCTIONS = "it runs for too many instructions"
SECONDS = "it runs for more than 1 seconds"
MEMORY = "not enough memory"

ENDLESS = {
    "a loop": "while true do end",
    "a jump": "::again:: goto again",
    "a tail call": "local function f() return f() end return f()",
    "a loop in a pcall": "pcall(function() while true do end end) return t",
    "a loop of pcalls": "while true do pcall(function() while true do end end) end",
    "pcalls in pcalls": "local function f(n) while true do if n > 0 then pcall(f, n - 1) end end end f(50)",
    "a handler of errors": "xpcall(function() while true do end end, function() while true do end end)",
    "a coroutine": "coroutine.wrap(function() while true do end end)()",
    "a coroutine in a pcall": "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "many coroutines": "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
    "a coroutine of a coroutine": (
        "while true do coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)() end"
    ),
    "a closed coroutine": (
        "local co = coroutine.create(function() local x <close> = nil while true do end end) "
        "coroutine.resume(co) coroutine.close(co) while true do end"
    ),
    "a function of gsub": "string.gsub('aaa', 'a', function() while true do end end)",
    "an order of sort": "table.sort({3, 2, 1}, function() while true do end end)",
    "a function of map_axis": "return t:map_axis(1, function() while true do end end)",
    "a function of fold_axis": "return t:fold_axis(1, function() while true do end end)",
    "operations on tensors": "while true do t = t + 1 end",
    "made tensors": "while true do local made = Tensor{1, 2, 3} end",
    "printed lines": "while true do print('x') end",
    "sorting": "local n = {} for i = 1, 100000 do n[i] = i % 7 end while true do table.sort(n) end",
    "moving": (
        "local n = {} for i = 1, 100000 do n[i] = i end while true do table.insert(n, 1, 1) table.remove(n, 1) end"
    ),
    "repeating": "while true do string.rep('x', 1000000) end",
    "searching": "while true do string.find(string.rep('a', 1000), 'b') end",
}
SLOW = {
    "copies of a long text": "local s = string.rep('x', 1000000) while true do local other = s .. 'y' end",
    "an emptied table": (
        "local n = {} for i = 1, 200000 do n[i] = i end for i = 1, 200000 do n[i] = nil end while true do next(n) end"
    ),
    "many results": "local n = {} while true do select(-1, table.unpack(n, 1, 100000)) end",
}
LARGE = {
    "a table": "local n = {} for i = 1, 1e9 do n[i] = i end",
    "a table in a pcall": "local n = {} while true do pcall(function() while true do n[#n + 1] = {} end end) end",
    "a text": "local s = 'x' while true do s = s .. s end",
    "texts": "local s, n = string.rep('x', 1000000), {} for i = 1, 1e9 do n[i] = s .. i end",
    "joined texts": "local s, n = string.rep('x', 1000000), {} for i = 1, 1000 do n[i] = s end table.concat(n)",
    "replaced texts": "string.gsub(string.rep('a', 1000000), 'a', string.rep('b', 1000))",
    "padded texts": "string.pack('c1000000000', 'x')",
    "functions": "local n = {} for i = 1, 1e9 do n[i] = function() return i end end",
    "coroutines": "local n = {} for i = 1, 1e9 do n[i] = coroutine.create(print) end",
    "recursion": "local function f() return 1 + f() end f()",
}
DEEP = {
    "recursion in pcalls": "local function f() pcall(f) f() end f()",
    "coroutines in coroutines": "local function f() return coroutine.wrap(f)() end f()",
    "coroutines in pcalls": "local function f() local co = coroutine.wrap(f) pcall(co) end f()",
    "results": "while true do pcall(table.unpack, {}, 1, 900000) end",
}
HOLES = "local n = {} for i = 1, 9 do n[i] = 1 end n[17] = 1 for i = 4, 62 do n[1 << i] = 1 end "
"""Whose length is 1 << 62: what C would count to."""
REFUSED = {
    "to sort long texts that begin alike": (
        "local a = string.rep('a', 500000) local all = {} for i = 1, 1000 do all[i] = a end table.sort(all)",
        "texts of 500000000 bytes may take too long to sort",
    ),
    "nothing, for ever": ("return string.rep('', 1 << 62)", "returned a string"),
    "gigabytes": ("string.rep('x', 1 << 40)", "the text would have more than 1000000 bytes"),
    "gigabytes between": (
        "string.rep('', 3, string.rep('x', 900000))",
        "the text would have more than 1000000 bytes",
    ),
    "a pattern that backtracks": (
        "string.find(string.rep('a', 100000), string.rep('a*', 20) .. 'b')",
        "this pattern may take too long on a text of 100000 bytes",
    ),
    "a pattern that doubles": (
        "string.find(string.rep('a', 30), string.rep('a?', 30) .. string.rep('a', 30))",
        "this pattern may take too long on a text of 30 bytes",
    ),
    "lazy patterns": (
        "string.match(string.rep('a', 100000), '.-.-.-b')",
        "this pattern may take too long on a text of 100000 bytes",
    ),
    "balanced patterns": (
        "for each in string.gmatch(string.rep('(', 100000), '%b()') do end",
        "this pattern may take too long on a text of 100000 bytes",
    ),
    "a long needle": (
        "string.find(string.rep('a', 1000000), string.rep('a', 500000) .. 'b', 1, true)",
        "this pattern may take too long on a text of 1000000 bytes",
    ),
    "a move of nothing": ("table.move({}, 1, 1 << 60, 2)", "more than 1000000 elements"),
    "a move from below": ("table.move({}, -(1 << 62), 1 << 62, 2)", "more than 1000000 elements"),
    "an insertion into holes": (HOLES + "table.insert(n, 1, 1)", "the table has more than 1000000 elements"),
    "a removal from holes": (HOLES + "table.remove(n, 1)", "the table has more than 1000000 elements"),
    "holes in order": (HOLES + "table.sort(n, type)", "the table has more than 1000000 elements"),
    "a tensor of holes": (HOLES + "Tensor(n)", "the tensors take too much memory"),
    "a circle of tables": ("local n = {} n[1] = n Tensor(n)", "a tensor has at most 8 axes"),
    "a yield to nobody": ("coroutine.yield()", "Postprocess yields, where nothing resumes it"),
    "an error that is no text": ("error({})", "its error is a table"),
    "an error that is nothing": ("error()", "its error is a nil"),
}
MISSING = (
    *("io.open('/etc/passwd')", "os.exit()", "package.loaded.os", "debug.getregistry()", "python.eval('1')"),
    *("load('return 1')", "loadstring('return 1')", "dofile('x')", "loadfile('x')", "require('os')"),
    *("setmetatable({}, {__gc = print})", "getmetatable('').__index", "collectgarbage('stop')", "warn('x')"),
    *("string.dump(print)", "math.random()", "math.randomseed(1)", "_ENV.os.exit()", "_G.debug.sethook()"),
    *("('x').__index.y", "t.__index.y", "Tensor.__index.y", "t.python.eval", "print.__globals__"),
)


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_what_does_not_end_is_ended(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "INSTRUCTIONS", 3_000_000)
    assert failure(postprocess(body), T) == INSTRUCTIONS


@pytest.mark.parametrize("body", SLOW.values(), ids=SLOW)
def test_what_takes_long_in_few_instructions_is_ended(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "SECONDS", 1)
    assert failure(postprocess(body), T) == SECONDS


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE)
def test_what_takes_memory_is_ended(body: str) -> None:
    assert MEMORY in failure(postprocess(body), T)


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
def test_what_is_too_deep_is_ended(body: str) -> None:
    assert "stack overflow" in failure(postprocess(body), T)


@pytest.mark.parametrize(("body", "said"), REFUSED.values(), ids=REFUSED)
def test_what_would_take_too_long_or_too_much_is_refused_before(body: str, said: str) -> None:
    assert failure(postprocess(body), T).endswith(said)


@pytest.mark.parametrize("reached", MISSING)
def test_what_leads_out_of_the_sandbox_is_not_there(reached: str) -> None:
    said = failure(postprocess(f"local found = {reached} return Tensor{{found}}"), T)
    assert "a nil value" in said or "attempt to index a function value" in said


def test_a_script_finds_these_names_and_no_other() -> None:
    names: list[str] = []
    show = "for name, value in pairs(_G) do print(name, type(value)) end return t"
    run(postprocess(show), T, libraries=(), say=names.append)
    functions = (
        "assert error ipairs next pairs pcall print rawequal rawget rawlen rawset select tonumber tostring type"
    )
    expected = {f"{name}\tfunction" for name in [*functions.split(), "xpcall", "Postprocess"]}
    assert set(names) == expected | {"_G\ttable", "Tensor\ttable", "_VERSION\tstring"}


@pytest.mark.parametrize("library", ["coroutine", "math", "string", "table", "utf8"])
def test_a_library_is_there_where_it_is_named(library: str) -> None:
    body = f"return Tensor{{type({library}) == 'table' and 1 or 0}}"
    assert run(postprocess(body), T, libraries=[library]).tolist() == [1]
    assert run(postprocess(body), T, libraries=[]).tolist() == [0]


def test_texts_have_methods_only_with_the_library_of_texts() -> None:
    body = "return Tensor{#('x'):rep(3)}"
    assert run(postprocess(body), T, libraries=["string"]).tolist() == [3]
    assert "a nil value (method 'rep')" in failure(postprocess(body), T, libraries=["table"])


@pytest.mark.parametrize("source", ["\x1bLua", "\x1bLuaT\x00\x19\x93\r\n"])
def test_bytecode_is_never_loaded(source: str) -> None:
    assert failure(source, T) == "attempt to load a binary chunk (mode is 't')"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "it defines no function Postprocess"),
        ("Postprocess = 1", "it defines no function Postprocess"),
        ("_ENV = {}", "it defines no function Postprocess"),
        ("x = (", "transform:1: unexpected symbol near <eof>"),
        ("(" * 5000, "C stack overflow"),
        ("while true do end", INSTRUCTIONS),
        ("local s = 'x' while true do s = s .. s end", MEMORY),
        ("error('no')", "transform:1: no"),
    ],
    ids=["empty", "a number", "elsewhere", "cut", "deep", "endless", "large", "failing"],
)
def test_a_script_that_cannot_begin_says_why(source: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "INSTRUCTIONS", 3_000_000)
    assert failure(source, T) == said


def test_a_run_sees_nothing_of_the_run_before() -> None:
    source = (
        "calls = (calls or 0) + 1 string.calls = (string.calls or 0) + 1 Tensor.calls = (Tensor.calls or 0) + 1\n"
        "function Postprocess(t) return Tensor{calls, string.calls, Tensor.calls} end"
    )
    opened = script.Script(script.lua(None), source, ["string"], print)
    assert [opened(T).tolist() for _ in range(3)] == [[1, 1, 1]] * 3


@pytest.mark.parametrize(
    "body",
    [
        "return t.softmax(2)",
        "return t:softmax('x')",
        "raise('x')",
        "print('x') return t:std('x')",
    ],
)
def test_functions_that_a_script_replaces_are_not_called_by_the_sandbox(body: str) -> None:
    """Where the sandbox reports an error, no limit holds."""
    loop = "function() while true do end end"
    replaced = " ".join(f"string.{name} = {loop}" for name in ("sub", "rep", "gmatch", "find", "format"))
    replaced += f" tostring, type, error, print, next, pcall = {', '.join([loop] * 3)}, function() end"
    assert "instructions" not in failure(f"local raise = error {replaced} " + postprocess(body), T)


def test_what_a_script_says_is_one_line_that_can_be_printed() -> None:
    assert failure(postprocess(r"error('one\27[2J two\nthree', 0)"), T) == "one\N{REPLACEMENT CHARACTER}[2J two"
    assert len(failure(postprocess("error(string.rep('x', 100000), 0)"), T)) == 500


def test_a_python_error_inside_of_a_call_is_not_the_scripts_to_catch(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "exp", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(postprocess("pcall(t.exp, t) return t"), T)
