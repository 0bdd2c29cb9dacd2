"""The script's view of tensors, written in Lua. Behind each stands an array in Python, by a number: its handle.

No object of Python ever enters the script's world, and no error of Python does: a call of `python` gives a code, a
number or a short text, and what it cost.
"""

from __future__ import annotations

TENSOR = """
local handles = setmetatable({}, {__mode = "k"})
local MAX_AXES, CHUNK = 8, 128

local function swept()
  collectgarbage()
  for _, handle in next, handles do python("keep", handle) end
  python("sweep")
end

-- Memory that runs out inside of Python could not be told to the script, so some has to be left before a call.
local function ask(name, ...)
  if collectgarbage("count") > kilobytes then
    collectgarbage()
    if collectgarbage("count") > kilobytes then error("not enough memory", 0) end
  end
  local code, value, cost = python(name, ...)
  if code == 2 then
    swept()
    code, value, cost = python(name, ...)
  end
  charge(cost)
  if code ~= 0 then error(value, 3) end
  return value
end

local tensor_of = {}
local function wrapped(handle)
  local new = setmetatable({}, tensor_of)
  handles[new] = handle
  return new
end

local packs = {}
for count = 1, CHUNK do packs[count] = "<" .. rep("f", count) end

-- The lengths of nested tables, as the first of each says.
local function shape_of(from)
  local shape, elements = {}, 1.0
  while type(from) == "table" and handles[from] == nil do
    if #shape == MAX_AXES then error("a tensor has at most " .. MAX_AXES .. " axes", 0) end
    shape[#shape + 1] = #from
    elements = elements * #from
    from = from[1]
  end
  return shape, elements
end

local function fed(from, shape, axis, waiting)
  if type(from) ~= "table" or handles[from] or #from ~= shape[axis] then
    error("the tables of a tensor should have one length on each axis", 0)
  end
  for place = 1, shape[axis] do
    local value = from[place]
    if axis < #shape then
      fed(value, shape, axis + 1, waiting)
    else
      if type(value) ~= "number" then error("a tensor holds numbers, not a " .. type(value), 0) end
      waiting[#waiting + 1] = value
      if #waiting == CHUNK then
        ask("feed", pack(packs[CHUNK], unpacked(waiting)))
        for each = CHUNK, 1, -1 do waiting[each] = nil end
      end
    end
  end
end

local function tensor(from)
  if handles[from] then return from end
  if type(from) ~= "table" then error("Tensor takes nested tables of numbers, not a " .. type(from), 2) end
  local shape, elements = shape_of(from)
  ask("begin", elements)
  local waiting = {}
  fed(from, shape, 1, waiting)
  if #waiting > 0 then ask("feed", pack(packs[#waiting], unpacked(waiting))) end
  return wrapped(ask("tensor", unpacked(shape)))
end

-- A table stands for a tensor where one is needed. A handle alone would not keep the tensor.
local function tensor_from(value, expected)
  if type(value) ~= "table" then error(expected .. " a " .. type(value), 3) end
  return tensor(value)
end

local function own(self, name)
  local handle = self ~= nil and handles[self]
  if not handle then error("call " .. name .. " with a colon, as in tensor:" .. name .. "(...)", 3) end
  return handle
end

local function number(value, what)
  if type(value) ~= "number" then error(what .. " should be a number, got " .. sub(tostring(value), 1, 40), 3) end
  return value + 0.0
end

local function scalar(name)
  return function(self) return (ask(name, own(self, name))) end
end
local function of_axis(name)
  return function(self, axis)
    local handle = own(self, name)
    return wrapped(ask(name, handle, integer(axis, "the axis", 2)))
  end
end
local function plain(name)
  return function(self) return wrapped(ask(name, own(self, name))) end
end

local methods = {
  ndim = scalar("ndim"), mean = scalar("mean"), sum = scalar("sum"), min = scalar("min"), max = scalar("max"),
  exp = plain("exp"), transpose = plain("transpose"),
  softmax = of_axis("softmax"), sum_axis = of_axis("sum_axis"),
  std = function(self, ddof)
    local handle = own(self, "std")
    return (ask("std", handle, number(ddof == nil and 0 or ddof, "ddof")))
  end,
  layer_norm = function(self, axis, eps)
    local handle = own(self, "layer_norm")
    return wrapped(ask("layer_norm", handle, integer(axis, "the axis", 2), number(eps, "eps")))
  end,
  lp_normalize = function(self, p, axis)
    local handle = own(self, "lp_normalize")
    return wrapped(ask("lp_normalize", handle, number(p, "p"), integer(axis, "the axis", 2)))
  end,
  truncate_axis = function(self, axis, length)
    local handle = own(self, "truncate_axis")
    return wrapped(ask("truncate_axis", handle, integer(axis, "the axis", 2), integer(length, "the length", 2)))
  end,
  clamp = function(self, least, most)
    local handle = own(self, "clamp")
    if least ~= nil then least = number(least, "the minimum") end
    if most ~= nil then most = number(most, "the maximum") end
    return wrapped(ask("clamp", handle, least, most))
  end,
  mean_pool = function(self, mask)
    local handle = own(self, "mean_pool")
    local weights = tensor_from(mask, "mean_pool takes a mask, not")
    return wrapped(ask("mean_pool", handle, handles[weights]))
  end,
}

function methods.map_axis(self, axis, f)
  local handle, made = own(self, "map_axis"), {}
  axis = integer(axis, "the axis", 2)
  if type(f) ~= "function" then error("map_axis takes a function, not a " .. type(f), 2) end
  for place = 1, ask("length", handle, axis) do
    local result = f(wrapped(ask("slice", handle, axis, place)))
    made[place] = tensor_from(result, "the function of map_axis should return a Tensor, and returned")
  end
  ask("begin", 0)
  for place = 1, #made do ask("add", handles[made[place]]) end
  return wrapped(ask("stack", axis))
end

-- `fold_axis(axis, f)` begins with 0, `fold_axis(axis, first, f)` with `first`.
function methods.fold_axis(self, axis, first, f)
  local handle, made = own(self, "fold_axis"), {}
  axis = integer(axis, "the axis", 2)
  if f == nil then first, f = 0, first end
  if type(f) ~= "function" then error("fold_axis takes a function, not a " .. type(f), 2) end
  first = number(first, "the first value")
  for place = 1, ask("length", handle, axis) do
    local value, from = first, 0
    while true do
      local data = ask("numbers", handle, axis, place, from)
      if #data == 0 then break end
      for at = 1, #data, 4 do
        value = f(value, (unpack("<f", data, at)))
        if type(value) ~= "number" then
          error("the function of fold_axis should return a number, and returned a " .. type(value), 2)
        end
      end
      from = from + #data // 4
    end
    made[place] = value
  end
  return tensor(made)
end

-- A handle is an integer and a number a float.
local function operator(name)
  return function(a, b)
    local operands = {a, b}
    for place = 1, 2 do
      local value = operands[place]
      if value ~= nil and handles[value] then
        operands[place] = handles[value]
      elseif type(value) == "number" then
        operands[place] = value + 0.0
      else
        error("a tensor cannot be combined with a " .. type(value), 2)
      end
    end
    return wrapped(ask(name, operands[1], operands[2]))
  end
end

tensor_of.__index = methods
tensor_of.__newindex = function() error("a tensor cannot be changed", 2) end
tensor_of.__metatable = false
tensor_of.__name = "Tensor"
tensor_of.__add, tensor_of.__sub = operator("plus"), operator("minus")
tensor_of.__mul, tensor_of.__div = operator("times"), operator("over")
tensor_of.__len = function(self) return (ask("size", handles[self])) end
tensor_of.__tostring = function(self) return (ask("text", handles[self])) end
tensor_of.__eq = function(a, b)
  if not (handles[a] and handles[b]) then return false end
  return ask("equal", handles[a], handles[b]) == 1
end
"""
