-- release: give products back within a session. A product it does not have is not an error.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session fence products
-- answers: released {products seats} | gone {reason}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses reservations devices seats queue hand_on many
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
if record.fence ~= args.fence or record.state ~= 'attached' then
  return answer('gone', {reason = 'superseded'})
end
local named, kept, given_back, products = {}, {}, {}, {}
for _, product in ipairs(args.products) do
  named[product] = true
end
for _, seat in ipairs(record.seats) do
  local list = named[seat.product] and given_back or kept
  list[#list + 1] = seat
end
for i, seat in ipairs(given_back) do
  products[i] = seat.product
end
-- What the session still uses: for another product of the same license, or until its client knows that it has lost it.
local used = {}
for _, seat in ipairs(kept) do
  used[seat.license .. '\0' .. seat.holder] = true
end
for _, seat in ipairs(record.losing and record.losing.seats or {}) do
  used[seat.license .. '\0' .. seat.holder] = true
end
local idle = {}
for _, seat in ipairs(given_back) do
  if not used[seat.license .. '\0' .. seat.holder] then
    idle[#idle + 1] = seat
  end
end
free(args.session, record, idle)
record.seats = kept
save(args.session, record)
hand_on()
return answer('released', {products = products, seats = shown(kept)})
