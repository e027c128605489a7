"""A device without a browser of its own: OAuth with a device code, with the async client.

COZE_CLIENT_ID=… python examples/auth/device.py
"""

import asyncio
import os

from cozekit import AsyncCoze
from cozekit.auth import AsyncDeviceOAuth, FileStore
from cozekit.errors import DeviceDenied, DeviceExpired


async def main() -> None:
    device = AsyncDeviceOAuth(os.environ["COZE_CLIENT_ID"])
    code = await device.start()
    print("Open", code.verification_url, flush=True)
    print("and check that it shows", code.user_code, flush=True)
    try:
        token = await device.wait(code)
    except (DeviceDenied, DeviceExpired) as error:
        raise SystemExit(f"device: {error}") from None
    store = FileStore(os.environ.get("TOKEN_FOLDER", "tokens"))
    async with AsyncCoze(auth=device.auth(token, store=store)) as coze:
        print("The user is", (await coze.users.me()).user_name)


asyncio.run(main())
